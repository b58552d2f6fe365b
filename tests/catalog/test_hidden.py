"""What the catalog tells of hidden books: nothing but that they were read."""

import pytest
from sqlalchemy import select, update

from catalog.books import find_by_isbn, read_most_read, read_titles, read_withdrawn
from catalog.database import Database
from catalog.errors import BookUnknown
from catalog.events import dismiss
from catalog.importing import import_source
from catalog.ratings import delete_rating, put_rating
from catalog.snapshot import read_tables
from catalog.subjects import list_subjects
from catalog.tables import Book, Hidden
from catalog.users import find_user, read_profile
from tests.catalog.shelf import ListSource, edition, isbn, rating, work

LIBRARY = ListSource(
    work_list=[work("A", "Ash", "Ada Lovelace", "Dragons"), work("B", "Birch", "Ben Jonson", "Ghosts")],
    edition_list=[edition(1, "Ash", of="A"), edition(2, "Birch", of="B")],
    rating_list=[rating("1", 1, "9"), rating("1", 2, "8"), rating("2", 2, "5")],
)


@pytest.fixture
def birch(db: Database) -> int:
    """A withdrawn book, the most read one of the catalog."""
    import_source(db, LIBRARY)
    with db.session(write=True) as session:
        book_id = session.scalars(select(Book.book_id).filter_by(external_id="B")).one()
        session.execute(update(Book).where(Book.book_id == book_id).values(hidden=Hidden.WITHDRAWN))
    import_source(db, LIBRARY)
    return book_id


def test_a_hidden_book_is_in_no_answer(db: Database, birch: int) -> None:
    with db.session() as session:
        assert birch not in read_titles(session, [birch])
        assert find_by_isbn(session, isbn(2)) is None
        assert birch not in dict(read_most_read(session, 10))
        assert [row.name for row in list_subjects(session)] == ["Dragons"]
        assert read_withdrawn(session) == {birch}


def test_a_hidden_book_stays_in_the_history_of_its_readers_and_is_marked_there(
    db: Database, birch: int
) -> None:
    with db.session() as session:
        reader = read_profile(session, find_user(session, "lists", "1") or 0)

    assert reader is not None
    assert birch in dict(reader.history)
    assert reader.hidden == {birch}
    assert reader.favourite_subjects == ("Dragons",)


def test_a_hidden_book_takes_no_rating_but_gives_one_back(db: Database, birch: int) -> None:
    with db.session() as session:
        user_id = find_user(session, "lists", "2") or 0

    with pytest.raises(BookUnknown), db.session(write=True) as session:
        put_rating(session, user_id, birch, 5.0)
    with pytest.raises(BookUnknown), db.session(write=True) as session:
        dismiss(session, user_id, birch)
    with db.session(write=True) as session:
        assert delete_rating(session, user_id, birch)


def test_a_snapshot_says_which_books_are_hidden(db: Database, birch: int) -> None:
    books = [row for name, batch in read_tables(db) if name == "books" for row in batch.to_pylist()]

    assert {row["title"]: row["hidden"] for row in books} == {"Ash": None, "Birch": Hidden.WITHDRAWN}
