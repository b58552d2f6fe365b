"""What happens to a catalog while an import reads its source."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field

import pytest
from sqlalchemy import inspect, select

from catalog import bulk
from catalog.books import find_by_isbn
from catalog.database import Database
from catalog.importing import import_source
from catalog.ratings import put_rating
from catalog.sources.records import RawRating
from catalog.sources.row_log import RowLog
from catalog.tables import Book, Rating, User
from catalog.users import find_user, read_profile
from tests.catalog.shelf import ListSource, edition, isbn, rating, user

LIBRARY = {
    "edition_list": [edition(1, "Ash"), edition(2, "Birch")],
    "user_list": [user("1")],
    "rating_list": [rating("1", 1, "9"), rating("2", 2, "3")],
}


@dataclass
class Watched(ListSource):
    """A source that something is done by while its ratings are read."""

    meanwhile: list[Callable[[], object]] = field(default_factory=list)
    """Done one a reading."""

    def ratings(self, log: RowLog) -> Iterator[RawRating]:
        if self.meanwhile:
            self.meanwhile.pop(0)()
        yield from super().ratings(log)


@pytest.fixture
def library(db: Database) -> Database:
    import_source(db, ListSource(**LIBRARY))
    return db


def rate(db: Database, number: int) -> None:
    with db.session(write=True) as session:
        put_rating(
            session, find_user(session, "lists", "1") or 0, find_by_isbn(session, isbn(number)) or 0, 4.0
        )


def test_a_reader_can_rate_while_a_source_is_read(library: Database) -> None:
    import_source(library, Watched(**LIBRARY, meanwhile=[lambda: rate(library, 2)]))

    with library.session() as session:
        reader = read_profile(session, find_user(session, "lists", "1") or 0)
        birch = find_by_isbn(session, isbn(2))
    assert reader is not None
    assert dict(reader.history)[birch or 0] == 4.0


def test_of_two_imports_the_later_knows_what_the_other_has_written(library: Database) -> None:
    other = ListSource([], [edition(3, "Cedar")], [user("1")], [rating("1", 3, "2")], name="others")
    grown = {**LIBRARY, "edition_list": [*LIBRARY["edition_list"], edition(4, "Date")]}

    report = import_source(library, Watched(**grown, meanwhile=[lambda: import_source(library, other)]))

    with library.session() as session:
        titles = set(session.execute(select(Book.source, Book.title)))
        readers = session.scalars(select(User.source)).all()
    assert titles == {("lists", "Ash"), ("lists", "Birch"), ("lists", "Date"), ("others", "Cedar")}
    assert sorted(readers) == ["lists", "lists", "others"]
    assert [(file.name, file.n_read) for file in report.files] == [
        ("editions", 3),
        ("users", 1),
        ("ratings", 2),
    ]


def test_an_import_that_fails_while_it_reads_leaves_nothing_and_the_next_one_writes(
    library: Database,
) -> None:
    def fail() -> None:
        raise RuntimeError

    grown = {**LIBRARY, "edition_list": [*LIBRARY["edition_list"], edition(4, "Date")]}
    with pytest.raises(RuntimeError):
        import_source(library, Watched(**grown, meanwhile=[fail]))
    rate(library, 1)
    with library.session() as session:
        assert find_by_isbn(session, isbn(4)) is None

    import_source(library, Watched(**grown))

    with library.session() as session:
        assert find_by_isbn(session, isbn(4)) is not None


def test_many_rows_are_packed_until_they_are_written(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "CHUNK_ROWS", 3)
    users = [user(str(n)) for n in range(20)]

    import_source(
        db, ListSource([], LIBRARY["edition_list"], users, [rating(str(n), 1, "5") for n in range(30)])
    )

    with db.session() as session:
        assert len(session.scalars(select(User.user_id)).all()) == 30
        assert len(session.scalars(select(Rating.user_id)).all()) == 30


@pytest.mark.parametrize("fails", [False, True])
def test_an_import_that_fills_a_catalog_leaves_it_its_indexes(
    db: Database, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    before = inspect(db.engine).get_indexes("ratings")
    if fails:
        monkeypatch.setattr("catalog.importing.run.write_favourites", fail)

    with pytest.raises(RuntimeError) if fails else nullcontext():
        import_source(db, ListSource(**LIBRARY))

    assert inspect(db.engine).get_indexes("ratings") == before
    assert "ix_ratings_book_id" in {index["name"] for index in before}
