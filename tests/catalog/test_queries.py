"""What the gateway asks of the catalog, on each database."""

import pytest
from sqlalchemy import select

from catalog.books import find_by_isbn, read_subjects_of, read_titles
from catalog.database import Database
from catalog.errors import BookUnknown, UserUnknown
from catalog.events import dismiss
from catalog.identity import read_state
from catalog.importing import import_source
from catalog.ratings import delete_rating, put_rating
from catalog.subjects import list_subjects
from catalog.tables import Event, User
from catalog.users import find_user, read_profile, read_revision
from tests.catalog.shelf import ListSource, edition, isbn, rating, user, work

LIBRARY = ListSource(
    work_list=[
        work("A", "Ash", "Ada Lovelace", "Dragons", "Fantasy", "Fiction", year=-50),
        work("B", "Birch", "Ben Jonson", "Dragons", "Ghosts"),
        work("C", "Cedar", "", "Fiction"),
    ],
    edition_list=[
        edition(1, "Ash", of="A"),
        edition(2, "Ash", of="A"),
        edition(3, "Birch", of="B"),
        edition(4, "Cedar", "", of="C"),
    ],
    user_list=[user("1"), user("2")],
    rating_list=[rating("1", 1, "9", at=200), rating("1", 3, "0", at=100), rating("2", 4, "3")],
)


@pytest.fixture
def library(db: Database) -> Database:
    import_source(db, LIBRARY)
    return db


def test_a_reader_is_found_by_the_id_of_their_source(library: Database) -> None:
    with library.session() as session:
        assert find_user(session, "lists", "1") is not None
        assert find_user(session, "lists", "99") is None
        assert find_user(session, "elsewhere", "1") is None


def test_a_reader_has_history_oldest_first_and_favourite_subjects(library: Database) -> None:
    with library.session() as session:
        ash, birch = find_by_isbn(session, isbn(1)), find_by_isbn(session, isbn(3))
        reader = read_profile(session, find_user(session, "lists", "1") or 0)

    assert reader is not None
    assert reader.history == ((birch, None), (ash, 9.0))
    assert reader.favourite_subjects[0] == "Dragons"
    assert "Fiction" not in reader.favourite_subjects


def test_a_reader_has_each_of_their_events_once_and_dismissals_apart(library: Database) -> None:
    with library.session(write=True) as session:
        user_id = find_user(session, "lists", "1") or 0
        ash, birch = find_by_isbn(session, isbn(1)) or 0, find_by_isbn(session, isbn(3)) or 0
        did = [(ash, "view"), (ash, "view"), (ash, "impression"), (birch, "to_read"), (birch, "dismiss")]
        session.add_all(Event(user_id=user_id, book_id=book_id, kind=kind) for book_id, kind in did)

    with library.session() as session:
        reader = read_profile(session, user_id)

    assert reader is not None
    assert set(reader.events) == {(ash, "view"), (birch, "to_read")}
    assert (len(reader.events), reader.dismissed) == (2, {birch})


def test_an_unknown_reader_is_none(library: Database) -> None:
    with library.session() as session:
        assert read_profile(session, 999) is None
        assert read_revision(session, 999) is None


def test_titles_come_in_the_order_asked_without_unknown_books(library: Database) -> None:
    with library.session() as session:
        ids = [find_by_isbn(session, isbn(n)) or 0 for n in (4, 1)]
        rows = read_titles(session, [ids[0], 999, ids[1]])

    assert list(rows) == ids
    ash = rows[ids[1]]
    assert (ash.title, ash.authors, ash.year, ash.language) == ("Ash", ("Ada Lovelace",), -50, "eng")
    assert ash.isbns == tuple(sorted((isbn(1), isbn(2))))
    assert (ash.main_subject, ash.subjects) == ("Dragons", ("Dragons", "Fantasy", "Fiction"))
    assert (ash.source, ash.external_id, ash.description) == ("lists", "A", "About Ash.")


def test_a_generic_subject_is_never_the_main_one(library: Database) -> None:
    with library.session() as session:
        cedar = read_titles(session, [find_by_isbn(session, isbn(4)) or 0]).popitem()[1]

    assert (cedar.main_subject, cedar.subjects, cedar.authors) == (None, ("Fiction",), ())


def test_subjects_of_books_come_most_frequent_first_without_generic_ones(library: Database) -> None:
    with library.session() as session:
        books = [find_by_isbn(session, isbn(n)) or 0 for n in (1, 3, 4)]

        assert read_subjects_of(session, books) == ["Dragons", "Fantasy", "Ghosts"]


def test_subjects_are_listed_by_size_generic_ones_last(library: Database) -> None:
    with library.session() as session:
        rows = list_subjects(session)

    assert [(row.name, row.n_books) for row in rows] == [
        ("Dragons", 2),
        ("Fantasy", 1),
        ("Ghosts", 1),
        ("Fiction", 2),
    ]


def test_a_new_rating_is_in_the_history_and_changes_the_revision(library: Database) -> None:
    with library.session(write=True) as session:
        user_id, book_id = find_user(session, "lists", "2") or 0, find_by_isbn(session, isbn(1)) or 0
        before = read_revision(session, user_id)
        created = put_rating(session, user_id, book_id, 8.0)

    with library.session() as session:
        reader = read_profile(session, user_id)
    assert created
    assert reader is not None
    assert reader.history[-1] == (book_id, 8.0)
    assert reader.revision != before


def test_rating_again_replaces_the_rating(library: Database) -> None:
    with library.session(write=True) as session:
        user_id, book_id = find_user(session, "lists", "1") or 0, find_by_isbn(session, isbn(1)) or 0
        created = put_rating(session, user_id, book_id, None)
        reader = read_profile(session, user_id)

    assert not created
    assert reader is not None
    assert dict(reader.history)[book_id] is None
    assert len(reader.history) == 2


def test_a_deleted_rating_is_gone_and_deleting_twice_says_so(library: Database) -> None:
    with library.session(write=True) as session:
        user_id, book_id = find_user(session, "lists", "1") or 0, find_by_isbn(session, isbn(1)) or 0
        assert delete_rating(session, user_id, book_id)
        assert not delete_rating(session, user_id, book_id)
        reader = read_profile(session, user_id)

    assert reader is not None
    assert book_id not in dict(reader.history)


def test_ratings_of_unknown_readers_and_books_are_refused_and_change_nothing(library: Database) -> None:
    with library.session() as session:
        user_id = find_user(session, "lists", "1") or 0
        before = read_revision(session, user_id)

    with pytest.raises(UserUnknown), library.session(write=True) as session:
        put_rating(session, 999, 1, 5.0)
    with pytest.raises(BookUnknown), library.session(write=True) as session:
        put_rating(session, user_id, 999, 5.0)

    with library.session() as session:
        assert read_revision(session, user_id) == before


def test_a_dismissed_book_is_remembered_and_changes_the_revision(library: Database) -> None:
    with library.session(write=True) as session:
        user_id, book_id = find_user(session, "lists", "2") or 0, find_by_isbn(session, isbn(3)) or 0
        before = read_profile(session, user_id)
        dismiss(session, user_id, book_id)
        after = read_profile(session, user_id)

    assert before is not None
    assert after is not None
    assert (before.dismissed, after.dismissed) == (frozenset(), {book_id})
    assert after.revision != before.revision


def test_dismissals_of_unknown_readers_and_books_are_refused(library: Database) -> None:
    with pytest.raises(UserUnknown), library.session(write=True) as session:
        dismiss(session, 999, 1)
    with pytest.raises(BookUnknown), library.session(write=True) as session:
        dismiss(session, find_user(session, "lists", "1") or 0, 999)


def test_an_import_changes_what_caches_ask_for_and_never_the_catalogs_identity(library: Database) -> None:
    with library.session() as session:
        user_id = find_user(session, "lists", "1") or 0
        before, reader_before = read_state(session), read_revision(session, user_id)

    import_source(library, ListSource())

    with library.session() as session:
        after, reader_after = read_state(session), read_revision(session, user_id)
    assert before != after
    assert reader_before != reader_after
    assert before.partition("@")[0] == after.partition("@")[0]


def test_revisions_never_repeat_and_leave_room_for_a_release_that_counts(library: Database) -> None:
    seen = set[int]()
    for _ in range(20):
        with library.session(write=True) as session:
            user_id, book_id = find_user(session, "lists", "1") or 0, find_by_isbn(session, isbn(1)) or 0
            put_rating(session, user_id, book_id, 8.0)
            seen |= set(session.scalars(select(User.revision).filter_by(user_id=user_id)))

    assert len(seen) == 20
    assert max(seen) < 2**62
