"""Anybody's files: what they become in the catalog, on each database."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from catalog.books import BookRow, find_by_isbn, read_titles
from catalog.database import Database
from catalog.errors import CatalogError, SourceError, SourceFileMissing, SourceOptionInvalid
from catalog.importing import ImportReport, import_source
from catalog.sources.generic import Generic
from catalog.sources.mapping import Mapping, build_mapping
from catalog.tables import Book, Event, Rating, User
from tests.catalog.reading import count, ratings_of
from tests.catalog.shelf import isbn

RATINGS, ITEMS = "ratings.csv", "items.csv"
ITEMS_OF_RATINGS, ISBNS = "items of ratings.csv", "ISBNs of items.csv"
MANY_ITEMS = f"""item,title,authors,year,isbn,subjects
a1,Ash,Ann Ash;Ben Birch,1999.0,{isbn(1)},Dragons;Ghosts
b2,"Birch, a tree",,-50,,
c3,,Cy Cedar,,{isbn(3)};{isbn(4)},
"""
MANY_RATINGS = """rating,rated_at,user,item,shelf
5,2020-01-02,ada,a1,own
1,1577923200,ada,b2,
,,bob,c3,
3.5,2020-01-02T00:00:00+01:00,bob,a1,
"""


def folder(path: Path, *, ratings: str, items: str | None = None, encoding: str = "utf-8") -> Path:
    (path / RATINGS).write_text(ratings, encoding=encoding)
    if items is not None:
        (path / ITEMS).write_text(items, encoding=encoding)
    return path


def import_csv(db: Database, path: Path, **options: str) -> ImportReport:
    return import_source(db, Generic(path, build_mapping(**options)))


def rows_of(report: ImportReport) -> dict[str, tuple[int, int, dict[str, int]]]:
    return {file.name: (file.n_read, file.n_kept, file.dropped) for file in report.files}


def book(db: Database, external_id: str, source: str = "csv") -> BookRow:
    with db.session() as session:
        book_id = session.scalar(select(Book.book_id).filter_by(source=source, external_id=external_id))
        assert book_id is not None
        return read_titles(session, [book_id])[book_id]


def test_items_become_books_of_their_ids_and_ratings_lie_on_the_catalogs_scale(
    db: Database, tmp_path: Path
) -> None:
    report = import_csv(db, folder(tmp_path, ratings=MANY_RATINGS, items=MANY_ITEMS), scale="1-5")

    ash, birch, cedar = (book(db, item) for item in ("a1", "b2", "c3"))
    assert (ash.title, ash.authors, ash.year, ash.isbns) == (
        "Ash",
        ("Ann Ash", "Ben Birch"),
        1999,
        (isbn(1),),
    )
    assert ash.subjects == ("Dragons", "Ghosts")
    assert (birch.title, birch.authors, birch.year, birch.isbns) == ("Birch, a tree", (), -50, ())
    assert (cedar.title, cedar.authors, cedar.isbns) == ("c3", ("Cy Cedar",), (isbn(3), isbn(4)))
    assert ratings_of(db, "ada", "csv") == {"Ash": 10.0, "Birch, a tree": 1.0}
    assert ratings_of(db, "bob", "csv") == {"c3": None, "Ash": 6.625}
    assert rows_of(report) == {ITEMS: (3, 3, {}), ISBNS: (2, 2, {}), RATINGS: (4, 4, {})}


def test_times_are_seconds_or_iso_and_unknown_where_they_are_neither(db: Database, tmp_path: Path) -> None:
    times = [
        "1577923200",
        "2020-01-02",
        "2020-01-02T01:00:00+01:00",
        "",
        "yesterday",
        "9" * 400,
        "9" * 12,
        "1969-12-31",
    ]
    rows = "".join(f"{number},x,5,{time}\n" for number, time in enumerate(times))

    report = import_csv(db, folder(tmp_path, ratings=f"user,item,rating,rated_at\n{rows}"))

    with db.session() as session:
        found = session.scalars(select(Rating.rated_at).order_by(Rating.user_id)).all()
    assert found == [1_577_923_200] * 3 + [None] * 5
    assert report.repairs == {"times that are none left unknown": 4}


def test_without_a_file_of_items_the_ids_are_the_titles(db: Database, tmp_path: Path) -> None:
    report = import_csv(db, folder(tmp_path, ratings="user,item,rating\n1,Ash,8\n2,Ash,9\n2,Birch,\n"))

    assert ratings_of(db, "2", "csv") == {"Ash": 9.0, "Birch": None}
    assert book(db, "Ash").title == "Ash"
    assert rows_of(report) == {ITEMS_OF_RATINGS: (2, 2, {}), RATINGS: (3, 3, {})}


def test_ratings_alone_leave_the_titles_that_an_earlier_import_brought(db: Database, tmp_path: Path) -> None:
    import_csv(db, folder(tmp_path, ratings=MANY_RATINGS, items=MANY_ITEMS))
    before = book(db, "a1")
    (tmp_path / ITEMS).unlink()

    import_csv(db, folder(tmp_path, ratings="user,item,rating\ncyd,a1,8\n"))

    assert book(db, "a1") == before
    assert ratings_of(db, "cyd", "csv") == {"Ash": 8.0}
    assert count(db, Book) == 3


def test_a_rating_of_an_item_that_only_an_earlier_file_named_is_kept(db: Database, tmp_path: Path) -> None:
    import_csv(db, folder(tmp_path, ratings=MANY_RATINGS, items=MANY_ITEMS))

    report = import_csv(
        db, folder(tmp_path, ratings="user,item,rating\ncyd,a1,8\n", items="item,title\nz9,Zelkova\n")
    )

    assert ratings_of(db, "cyd", "csv") == {"Ash": 8.0}
    assert report.totals["books"] == 4


def test_importing_twice_changes_no_id_and_no_rating(db: Database, tmp_path: Path) -> None:
    files = folder(tmp_path, ratings=MANY_RATINGS, items=MANY_ITEMS)
    import_csv(db, files)
    before = (
        [book(db, item) for item in ("a1", "b2", "c3")],
        ratings_of(db, "ada", "csv"),
        ratings_of(db, "bob", "csv"),
    )

    import_csv(db, files)

    assert before == (
        [book(db, item) for item in ("a1", "b2", "c3")],
        ratings_of(db, "ada", "csv"),
        ratings_of(db, "bob", "csv"),
    )


def test_two_names_are_two_sources(db: Database, tmp_path: Path) -> None:
    files = folder(tmp_path, ratings=MANY_RATINGS, items=MANY_ITEMS)
    import_csv(db, files, name="shop")

    report = import_csv(db, files, name="library")

    assert (count(db, Book), count(db, User), count(db, Rating)) == (6, 4, 8)
    assert book(db, "a1", "shop").book_id != book(db, "a1", "library").book_id
    assert report.repairs["ISBNs left to a book of another source"] == 3
    with db.session() as session:
        assert find_by_isbn(session, isbn(1)) == book(db, "a1", "shop").book_id


def test_what_cannot_be_used_is_dropped_and_counted_by_reason(db: Database, tmp_path: Path) -> None:
    items = "item,title,isbn\na1,Ash,9780306406158\na1,Twice,\n,None,\n" + f"{'x' * 65},Long,\nb2\nc3,,,,\n"
    ratings = "user,item,rating\n1,a1,5\n1,a1,3\n1,nowhere,5\n,a1,5\n1,a1,9\n1,a1,good\n1,a1\n1,a1,5,6\n"

    report = import_csv(db, folder(tmp_path, ratings=ratings, items=items), scale="1-5")

    assert rows_of(report) == {
        ITEMS: (6, 1, {"no usable id": 2, "duplicate id": 1, "too few fields": 1, "too many fields": 1}),
        ISBNS: (1, 0, {"ISBN: wrong check digit": 1}),
        RATINGS: (8, 1, {
            "rating is not a number from 1 to 5": 2, "reader rated the book more than once": 1,
            "no book record": 1, "no usable reader id": 1, "too few fields": 1, "too many fields": 1,
        }),
    }  # fmt: skip
    assert ratings_of(db, "1", "csv") == {"Ash": 10.0}


@pytest.mark.parametrize(
    ("separator", "written", "encoding"),
    [(";", ";", "latin-1"), ("tab", "\t", "utf-8"), ("|", "|", "utf-16"), (",", ",", "utf-8-sig")],
)
def test_separator_and_encoding_are_the_files_own(
    sqlite: Database, tmp_path: Path, separator: str, written: str, encoding: str
) -> None:
    items = 'item,title,authors\n1,"Die ""Wand""",Marlén'.replace(",", written)
    ratings = "user,item,rating\nzoë,1,7".replace(",", written)

    import_csv(
        sqlite,
        folder(tmp_path, ratings=ratings, items=items, encoding=encoding),
        separator=separator,
        encoding=encoding,
    )

    assert ratings_of(sqlite, "zoë", "csv") == {'Die "Wand"': 7.0}
    assert book(sqlite, "1").authors == ("Marlén",)


BROKEN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "holds no rows"),
    "only a header": (b"user,item,rating\n", "holds no rows"),
    "another separator": (
        b"user;item;rating\n1;2;3\n",
        "1: expected a column 'user', found user;item",
    ),
    "no such column": (b"user,book,rating\n1,2,3\n", "1: expected a column 'item', found user, book"),
    "another encoding": (b"user,item,rating\n1,2,3\n1,Caf\xe9,3\n", "3: expected text in utf-8"),
    "cut off in a quote": (b'user,item,rating\n1,2,3\n1,"2,3', "3: cut off in the middle"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_stops_the_import_with_file_and_line_and_leaves_nothing(
    sqlite: Database, tmp_path: Path, name: str
) -> None:
    content, message = BROKEN[name]
    folder(tmp_path, ratings="", items=MANY_ITEMS)
    (tmp_path / RATINGS).write_bytes(content)

    with pytest.raises(SourceError, match=f"{RATINGS}(: |, line ){message}"):
        import_csv(sqlite, tmp_path)

    assert (count(sqlite, Book), count(sqlite, Rating)) == (0, 0)


def test_a_folder_without_ratings_is_named_with_what_it_must_hold(tmp_path: Path) -> None:
    with pytest.raises(SourceFileMissing, match=f"must hold {RATINGS}"):
        Generic(tmp_path, build_mapping())


@pytest.mark.parametrize(
    "options",
    [
        {"name": "../up"},
        {"name": ""},
        {"scale": "5"},
        {"separator": ", "},
        {"separator": '"'},
        {"encoding": "klingon"},
    ],
)
def test_options_that_mean_nothing_are_refused(
    sqlite: Database, tmp_path: Path, options: dict[str, str]
) -> None:
    with pytest.raises(SourceOptionInvalid) as refused:
        import_csv(sqlite, folder(tmp_path, ratings="user,item,rating\n1,2,3\n"), **options)

    assert isinstance(refused.value, CatalogError)
    assert str(refused.value).startswith(next(iter(options)))


@pytest.mark.parametrize(
    ("user", "item"), [("user_id", "item_id"), ("userId", "itemId"), ("USER", "Item"), ("User-ID", "item id")]
)
def test_columns_have_their_usual_names(sqlite: Database, tmp_path: Path, user: str, item: str) -> None:
    files = folder(tmp_path, ratings=f"{user},{item},rating\nada,a1,5\n", items=f"{item},title\na1,Ash\n")

    import_csv(sqlite, files)

    assert ratings_of(sqlite, "ada", "csv") == {"Ash": 5.0}


def test_compressed_files_are_read_as_they_are(sqlite: Database, tmp_path: Path) -> None:
    for name, content in ((RATINGS, MANY_RATINGS), (ITEMS, MANY_ITEMS)):
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content.encode()))

    report = import_csv(sqlite, tmp_path, scale="1-5")

    assert ratings_of(sqlite, "ada", "csv") == {"Ash": 10.0, "Birch, a tree": 1.0}
    assert rows_of(report)[f"{RATINGS}.gz"] == (4, 4, {})


def test_a_compressed_file_that_was_cut_off_is_named_with_its_line(sqlite: Database, tmp_path: Path) -> None:
    ratings = "user,item,rating\n" + "".join(f"{n},{n * 7919},5\n" for n in range(9_000))
    (tmp_path / f"{RATINGS}.gz").write_bytes(gzip.compress(ratings.encode())[:-2_000])

    with pytest.raises(SourceError, match=r"ratings.csv.gz, line \d[\d,]+: cut off in the middle"):
        import_csv(sqlite, tmp_path)


def import_mapped(db: Database, path: Path, **mapping: Any) -> ImportReport:
    return import_source(db, Generic(path, Mapping.model_validate(mapping)))


def test_ratings_and_items_may_stand_in_one_file(sqlite: Database, tmp_path: Path) -> None:
    rows = [
        {"user": "ada", "item": 1, "rating": 5, "title": "Ash", "by": [{"name": "Ann"}], "isbn": isbn(1)},
        {"user": "bob", "item": 1, "rating": 4, "title": "Ash", "by": [{"name": "Ann"}], "isbn": isbn(1)},
        {"user": "bob", "item": 2, "rating": 3, "title": ["no text"]},
        {"user": "bob", "item": 3, "rating": None, "title": None, "by": []},
    ]
    (tmp_path / "all.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))

    report = import_mapped(
        sqlite, tmp_path, ratings={"file": "all.jsonl"}, items={"file": "all.jsonl", "authors": "by.name"}
    )

    assert rows_of(report) == {
        "items of all.jsonl": (2, 2, {}),
        "ISBNs of all.jsonl": (1, 1, {}),
        "all.jsonl": (4, 3, {"no book record": 1}),
    }
    assert ratings_of(sqlite, "bob", "csv") == {"Ash": 4.0, "3": None}
    assert book(sqlite, "1").authors == ("Ann",)


def test_items_of_one_work_are_one_book_and_ratings_of_each_are_of_it(db: Database, tmp_path: Path) -> None:
    files = folder(
        tmp_path,
        ratings="user,item,rating\nada,a1,9\nbob,a2,8\nbob,b1,7\n",
        items=f"item,series,title,isbn\na1,A,Ash,{isbn(1)}\na2,A,Esche,{isbn(2)}\nb1,,Bay,\nb2,,Bay,\n",
    )

    report = import_mapped(db, files, items={"work": "series"})

    assert rows_of(report) == {
        ITEMS: (4, 2, {"no usable id": 2}), ISBNS: (2, 2, {}), RATINGS: (3, 2, {"no book record": 1}),
    }  # fmt: skip
    assert book(db, "A").isbns == (isbn(1), isbn(2))
    assert ratings_of(db, "bob", "csv") == {"Ash": 8.0}


def test_a_file_without_ratings_tells_what_readers_used(sqlite: Database, tmp_path: Path) -> None:
    import_mapped(
        sqlite, folder(tmp_path, ratings="user,item\nada,Ash\n"), ratings={"rating": False}, scale="1-5"
    )

    assert ratings_of(sqlite, "ada", "csv") == {"Ash": None}


def test_characters_and_flags_are_subjects(sqlite: Database, tmp_path: Path) -> None:
    heroes = "".join(f"h{n},Tale {n},Author {n},Robin Hood;Hero {n},{n % 2}\n" for n in range(4))
    items = f"item,title,authors,who,Fantasy\n{heroes}"

    import_mapped(
        sqlite,
        folder(tmp_path, ratings="user,item,rating\nada,h1,5\n", items=items),
        items={"characters": "who", "subject_flags": ["Fantasy"]},
    )

    assert "Fantasy" in book(sqlite, "h1").subjects
    assert "Fantasy" not in book(sqlite, "h2").subjects
    assert "Robin Hood" in book(sqlite, "h2").subjects


def test_events_of_a_file_without_kinds_are_of_the_kind_that_the_mapping_tells(
    sqlite: Database, tmp_path: Path
) -> None:
    (tmp_path / "later.csv").write_text("user_id,item_id\nada,Ash\neve,Ash\n")

    report = import_mapped(
        sqlite,
        folder(tmp_path, ratings="user,item,rating\nada,Ash,5\n"),
        events={"file": "later.csv", "always": "to_read"},
    )

    assert rows_of(report)["later.csv"] == (2, 2, {})
    with sqlite.session() as session:
        assert session.scalars(select(Event.kind)).all() == ["to_read", "to_read"]


def test_a_table_of_fields_that_the_mapping_miscounts_is_named(tmp_path: Path) -> None:
    (tmp_path / "u.data").write_text("1\t2\t3\n")

    with pytest.raises(
        SourceError, match=r"u.data, line 1: expected 3 fields of comma-separated text, found"
    ):
        Generic(tmp_path, Mapping.model_validate({"ratings": {"file": "u.data", "columns": ["a", "b", "c"]}}))


def test_a_mapping_of_items_alone_needs_no_ratings(sqlite: Database, tmp_path: Path) -> None:
    (tmp_path / "books.csv").write_text("item,title\n1,Ash\n")

    report = import_mapped(sqlite, tmp_path, items={"file": "books.csv"})

    assert rows_of(report) == {"books.csv": (1, 1, {})}
