"""The mapping file of docs/importing.md, on files as it describes them, and with every key that there is."""

import gzip
import json
import re
import tomllib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import select

from catalog.books import read_titles
from catalog.database import Database
from catalog.importing import import_source
from catalog.sources.generic import Generic
from catalog.sources.mapping import TABLES, Mapping, read_mapping
from catalog.tables import Book, Event, Rating, User
from tests.catalog.shelf import isbn
from tests.homes import ROOT

LEFT_OUT = {
    "ratings": {"format", "separator", "encoding", "quote", "escape", "columns"},
    "items": {"columns"},
    "users": {"format", "separator", "encoding", "quote", "escape", "columns"},
    "events": {"format", "encoding", "quote", "escape", "time_format", "always"},
}
"""Keys that other tables of the example have, or that the text names."""


def write_example(folder: Path) -> Path:
    """The documented mapping file, and small files of the described forms beside it."""
    text = (ROOT / "docs" / "importing.md").read_text()
    [mapping] = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    (folder / "shop.toml").write_text(mapping)
    reviews = [
        {"reviewer": {"id": "ada"}, "sku": "a1", "stars": 4.5, "at": 1_577_923_200_000},
        {"reviewer": {"id": "ada"}, "sku": "b2", "stars": 0},
        {"reviewer": {"id": "bob"}, "sku": "a2", "stars": "0.5", "at": None},
        {"reviewer": "bob", "sku": "b2", "stars": 3},
        {"reviewer": {"id": "bob"}, "sku": "b2", "stars": [3]},
    ]
    lines = "".join(f"{json.dumps(review)}\n" for review in reviews)
    (folder / "reviews.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    (folder / "products.txt").write_text(
        "sku|family|name|published|lang|blurb|leaves|writer|co_writer|isbn10|isbn13|genres|heroes|Fantasy|Crime\n"
        f"a1|a|'Ash \\'a|tree\\''|May 1999|en-GB|It grows.|320|Ann Ash|Ben Birch||{isbn(1)}"
        "|Ghosts/Dragons|Zed|1|0\n"
        f"a2|a|Ash|2005|deu|||Ann Ash||{isbn(2)}||||no|no\n"
        "b2|b|Bé|-50|xx||||||||Zed|true|\n",
        encoding="latin-1",
    )
    users = {
        "id": ["ada", "bob"], "age": [36.0, None], "gender": ["F", None], "job": ["writer", None],
        "zip": [12345, None], "country": ["france", ""],
    }  # fmt: skip
    pq.write_table(pa.table(users), folder / "customers.parquet")
    (folder / "log.tsv").write_text(
        "ada\tb2\tseen\t2020-01-02\nbob\ta2\twished\t\nbob\tb2\tlike\t\nbob\tb2\tate\t\n"
    )
    return folder / "shop.toml"


def test_the_example_has_every_key() -> None:
    text = (ROOT / "docs" / "importing.md").read_text()
    example = tomllib.loads(re.findall(r"```toml\n(.*?)```", text, re.DOTALL)[0])

    assert example.keys() == Mapping.model_fields.keys()
    for name, table in TABLES.items():
        assert table.model_fields.keys() - example[name].keys() == LEFT_OUT[name]


def test_the_example_is_imported_as_the_document_says(db: Database, tmp_path: Path) -> None:
    path = write_example(tmp_path)

    report = import_source(db, Generic(tmp_path, read_mapping(path), at=path))

    counted = {file.name: (file.n_read, file.n_kept, file.dropped) for file in report.files}
    assert counted == {
        "products.txt": (3, 3, {}),
        "ISBNs of products.txt": (2, 2, {}),
        "customers.parquet": (2, 2, {}),
        "reviews.jsonl.gz": (5, 3, {"no usable reader id": 1, "a field of another type": 1}),
        "log.tsv": (4, 3, {"no kind of event": 1}),
    }
    lines = {file.name: file.lines for file in report.files}
    assert lines["reviews.jsonl.gz"] == {"no usable reader id": [4], "a field of another type": [5]}
    assert lines["log.tsv"] == {"no kind of event": [4]}
    with db.session() as session:
        ids = {
            row.external_id: row.book_id for row in session.execute(select(Book.external_id, Book.book_id))
        }
        books = read_titles(session, list(ids.values()))
        ratings = session.execute(
            select(User.external_id, Book.external_id, Rating.rating, Rating.rated_at)
            .join(Rating, Rating.user_id == User.user_id)
            .join(Book, Book.book_id == Rating.book_id)
            .order_by(User.external_id, Book.external_id)
        ).all()
        events = session.execute(select(Event.kind, Event.at).order_by(Event.kind)).all()
        columns = (
            User.external_id,
            User.age_group,
            User.gender,
            User.occupation,
            User.postal_code,
            User.country,
        )
        users = session.execute(select(*columns).order_by(User.external_id)).all()
    ash, bay = books[ids["a"]], books[ids["b"]]
    assert (ash.title, ash.authors, ash.year, ash.language) == (
        "Ash 'a|tree'", ("Ann Ash", "Ben Birch"), 1999, "eng",
    )  # fmt: skip
    assert (ash.isbns, ash.description, ash.n_pages) == ((isbn(1), isbn(2)), "It grows.", 320)
    assert {"Ghosts", "Dragons", "Fantasy"} <= set(ash.subjects)
    assert (bay.title, bay.authors, bay.year, bay.language) == ("Bé", (), -50, None)
    assert [tuple(row) for row in ratings] == [
        ("ada", "a", 9.0, 1_577_923_200), ("ada", "b", None, None), ("bob", "a", 1.0, None),
    ]  # fmt: skip
    assert [tuple(row) for row in events] == [("like", None), ("to_read", None), ("view", 1_577_923_200)]
    assert [tuple(row) for row in users] == [
        ("ada", "35-44", "F", "writer", "12345", "France"), ("bob", None, None, None, None, None),
    ]  # fmt: skip
