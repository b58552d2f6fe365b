"""A library that a reader brings lands whole, changes nothing when it comes again, and never takes back."""

import time
from dataclasses import replace

import pytest
from sqlalchemy import select

from catalog.database import Database
from catalog.errors import BookUnknown, LibraryRowUnknown, UserUnknown
from catalog.events import dismiss, unmark
from catalog.importing import import_source
from catalog.library.matching import match_rows
from catalog.library.records import ExportRow, Shelf
from catalog.library.review import list_reviews
from catalog.library.writing import Outcome, settle_row, write_library
from catalog.merging.merge import merge_books
from catalog.ratings import delete_rating, put_rating
from catalog.tables import Book, Event, EventKind, Hidden, Rating, User
from catalog.users import find_user, read_revision
from tests.catalog.shelf import ListSource, edition, isbn, user, work

DUNE, EMMA, MAUS = 1, 2, 3
WORKS = [
    work("dune", "Dune", "Frank Herbert", year=1965),
    work("emma", "Emma", "Jane Austen", year=1815),
    work("maus", "Maus I", "Art Spiegelman", year=1986),
    work("persuasion", "Persuasion", "Jane Austen", year=1817),
]
DAY = 86_400


def row(title: str, author: str, **fields: object) -> ExportRow:
    """A book that was read on day 10 and rated."""
    plain = ExportRow(2, title, (author,), None, None, Shelf.READ, 8.0, 10 * DAY)
    return replace(plain, **fields)  # type: ignore[arg-type]


@pytest.fixture
def reader(db: Database) -> int:
    """Of a catalog of a few books."""
    source = ListSource(WORKS, [edition(1, "Dune", "Frank Herbert", of="dune")], [user("ann"), user("bob")])
    import_source(db, source)
    with db.session() as session:
        user_id = find_user(session, "lists", "ann")
    assert user_id is not None
    return user_id


def bring(db: Database, user_id: int, *rows: ExportRow) -> Outcome:
    rows = tuple(replace(each, line=line) for line, each in enumerate(rows, start=2))
    with db.session() as session:
        matches = match_rows(session, rows)
    with db.session(write=True) as session:
        return write_library(session, user_id, matches)


def read_ratings(db: Database, user_id: int) -> dict[str, tuple[float | None, int | None]]:
    of_user = (
        select(Book.title, Rating.rating, Rating.rated_at)
        .join(Rating, Rating.book_id == Book.book_id)
        .where(Rating.user_id == user_id)
    )
    with db.session() as session:
        return {title: (rating, at) for title, rating, at in session.execute(of_user)}


def read_events(db: Database, user_id: int) -> set[tuple[str, str, int | None]]:
    of_user = select(Book.title, Event.kind, Event.at).join(Event, Event.book_id == Book.book_id)
    with db.session() as session:
        return {tuple(event) for event in session.execute(of_user.where(Event.user_id == user_id))}


def read_state(db: Database, user_id: int) -> object:
    with db.session() as session:
        return read_revision(session, user_id), list_reviews(session, user_id, limit=100, offset=0)


def find_book(db: Database, title: str) -> int:
    with db.session() as session:
        book_id = session.scalar(select(Book.book_id).filter_by(title=title))
    assert book_id is not None
    return book_id


LIBRARY = (
    row("Dune (Dune, #1)", "Frank Herbert"),
    row("Emma", "Jane Austen", shelf=Shelf.TO_READ, rating=None),
    row("Maus", "Art Spiegelman"),
    row("The Overstory", "Richard Powers"),
    row("Persuasion", "Jane Austen", shelf=Shelf.READING, rating=None),
)


def test_what_is_sure_lands_and_what_is_not_is_asked(db: Database, reader: int) -> None:
    outcome = bring(db, reader, *LIBRARY)

    assert outcome == Outcome(new=3, changed=0, unchanged=0, to_review=1, not_found=1)
    assert read_ratings(db, reader) == {"Dune": (8.0, 10 * DAY), "Persuasion": (None, 10 * DAY)}
    assert read_events(db, reader) == {("Emma", "to_read", 10 * DAY)}
    with db.session() as session:
        total, [review] = list_reviews(session, reader, limit=10, offset=0)
    assert (total, review.title, review.guesses[0].book_id) == (1, "Maus", find_book(db, "Maus I"))


def test_the_same_library_again_changes_nothing(db: Database, reader: int) -> None:
    bring(db, reader, *LIBRARY)
    before = read_state(db, reader)

    outcome = bring(db, reader, *LIBRARY)

    assert outcome == Outcome(new=0, changed=0, unchanged=3, to_review=1, not_found=1)
    assert read_state(db, reader) == before


def test_the_revision_changes_with_what_was_written(db: Database, reader: int) -> None:
    with db.session() as session:
        before = read_revision(session, reader)

    bring(db, reader, *LIBRARY)

    with db.session() as session:
        assert read_revision(session, reader) != before


@pytest.mark.parametrize("day", [9, 10, 11])
def test_a_rating_that_was_changed_there_counts_unless_it_is_older(
    db: Database, reader: int, day: int
) -> None:
    bring(db, reader, row("Dune", "Frank Herbert"))

    outcome = bring(db, reader, row("Dune", "Frank Herbert", rating=3.0, at=day * DAY))

    assert outcome.changed == (day >= 10)
    assert read_ratings(db, reader)["Dune"][0] == (3.0 if day >= 10 else 8.0)


def test_a_rating_that_was_given_here_since_stays(db: Database, reader: int) -> None:
    with db.session(write=True) as session:
        put_rating(session, reader, find_book(db, "Dune"), 2.0)

    outcome = bring(db, reader, row("Dune", "Frank Herbert"))

    assert outcome == Outcome(new=0, changed=0, unchanged=1, to_review=0, not_found=0)
    assert read_ratings(db, reader)["Dune"][0] == 2.0


def test_stars_fill_in_for_a_book_that_was_only_read(db: Database, reader: int) -> None:
    with db.session(write=True) as session:
        put_rating(session, reader, find_book(db, "Dune"), None)

    bring(db, reader, row("Dune", "Frank Herbert"))

    assert read_ratings(db, reader)["Dune"] == (8.0, 10 * DAY)


def test_no_stars_take_none_away(db: Database, reader: int) -> None:
    bring(db, reader, row("Dune", "Frank Herbert"))

    outcome = bring(db, reader, row("Dune", "Frank Herbert", rating=None, at=20 * DAY))

    assert (outcome.changed, read_ratings(db, reader)["Dune"][0]) == (0, 8.0)


@pytest.mark.parametrize("at", [None, 10 * DAY])
def test_what_was_taken_back_here_does_not_come_back(db: Database, reader: int, at: int | None) -> None:
    bring(db, reader, row("Dune", "Frank Herbert", at=at))
    with db.session(write=True) as session:
        delete_rating(session, reader, find_book(db, "Dune"))

    outcome = bring(db, reader, row("Dune", "Frank Herbert", at=at))

    assert (outcome.unchanged, read_ratings(db, reader)) == (1, {})


def test_a_book_that_was_read_again_after_it_was_taken_back_comes_back(db: Database, reader: int) -> None:
    bring(db, reader, row("Dune", "Frank Herbert"))
    with db.session(write=True) as session:
        delete_rating(session, reader, find_book(db, "Dune"))

    for _ in range(2):
        bring(db, reader, row("Dune", "Frank Herbert", at=int(time.time()) + DAY))

    assert read_ratings(db, reader)["Dune"][0] == 8.0


def test_of_two_editions_the_newest_rating_counts(db: Database, reader: int) -> None:
    outcome = bring(
        db,
        reader,
        row("Dune", "Frank Herbert", rating=4.0, at=30 * DAY),
        row("Dune (Dune, #1)", "Frank Herbert", rating=9.0),
        row("Dune: A Novel", "Frank Herbert", shelf=Shelf.TO_READ, rating=None, at=40 * DAY),
    )

    assert outcome == Outcome(new=1, changed=0, unchanged=2, to_review=0, not_found=0)
    assert (read_ratings(db, reader), read_events(db, reader)) == ({"Dune": (4.0, 30 * DAY)}, set())


def test_a_rated_book_on_the_shelf_to_read_was_read(db: Database, reader: int) -> None:
    bring(db, reader, row("Dune", "Frank Herbert", shelf=Shelf.TO_READ))

    assert (read_ratings(db, reader)["Dune"][0], read_events(db, reader)) == (8.0, set())


def test_an_abandoned_book_is_not_shown_again(db: Database, reader: int) -> None:
    for _ in range(2):
        bring(db, reader, row("Dune", "Frank Herbert", shelf=Shelf.ABANDONED, rating=None))

    assert read_events(db, reader) == {("Dune", "dismiss", 10 * DAY)}


def test_a_book_that_was_dismissed_here_is_not_wanted_again(db: Database, reader: int) -> None:
    with db.session(write=True) as session:
        dismiss(session, reader, find_book(db, "Dune"))

    outcome = bring(db, reader, row("Dune", "Frank Herbert", shelf=Shelf.TO_READ, rating=None))

    assert (outcome.new, len(read_events(db, reader))) == (0, 1)


@pytest.mark.parametrize(
    ("shelf", "kind"), [(Shelf.TO_READ, EventKind.TO_READ), (Shelf.ABANDONED, EventKind.DISMISS)]
)
def test_what_was_undone_here_does_not_come_back_with_the_same_library(
    db: Database, reader: int, shelf: Shelf, kind: EventKind
) -> None:
    library = row("Dune", "Frank Herbert", shelf=shelf, rating=None)
    bring(db, reader, library)
    with db.session(write=True) as session:
        unmark(session, reader, find_book(db, "Dune"), kind)

    outcome = bring(db, reader, library)
    assert (outcome.unchanged, read_events(db, reader)) == (1, set())

    bring(db, reader, replace(library, at=int(time.time()) + DAY))
    assert len(read_events(db, reader)) == 1


def test_an_isbn_alone_is_asked_about(db: Database, reader: int) -> None:
    outcome = bring(
        db, reader, row("Emma", "Jane Austen", isbn=isbn(1)), row("砂丘", "ハーバート", isbn=isbn(1))
    )

    assert outcome == Outcome(new=1, changed=0, unchanged=0, to_review=1, not_found=0)
    assert list(read_ratings(db, reader)) == ["Emma"]


def test_a_row_is_settled_as_a_book_and_not_asked_again(db: Database, reader: int) -> None:
    library = [row("Maus", "Art Spiegelman")]
    bring(db, reader, *library)
    _, (_, [review]) = read_state(db, reader)  # type: ignore[misc]

    for _ in range(2):
        with db.session(write=True) as session:
            settle_row(session, reader, review.row_id, find_book(db, "Maus I"))

    assert read_ratings(db, reader)["Maus I"] == (8.0, 10 * DAY)
    assert bring(db, reader, *library) == Outcome(0, 0, unchanged=1, to_review=0, not_found=0)
    with db.session() as session:
        assert list_reviews(session, reader, limit=1, offset=0) == (0, [])
    changed = row("Maus", "Art Spiegelman", rating=4.0)
    assert bring(db, reader, changed).changed == 1


def test_a_row_is_settled_as_none_and_not_asked_again(db: Database, reader: int) -> None:
    library = [row("Maus", "Art Spiegelman")]
    bring(db, reader, *library)
    _, (_, [review]) = read_state(db, reader)  # type: ignore[misc]

    with db.session(write=True) as session:
        settle_row(session, reader, review.row_id, None)

    assert bring(db, reader, *library) == Outcome(0, 0, 0, to_review=0, not_found=1)
    assert read_ratings(db, reader) == {}


def test_a_row_is_settled_once_and_by_its_reader_alone(db: Database, reader: int) -> None:
    bring(db, reader, row("Maus", "Art Spiegelman"))
    _, (_, [review]) = read_state(db, reader)  # type: ignore[misc]
    with db.session() as session:
        other = find_user(session, "lists", "bob")
    assert other is not None

    with pytest.raises(LibraryRowUnknown), db.session(write=True) as session:
        settle_row(session, other, review.row_id, None)
    with pytest.raises(BookUnknown), db.session(write=True) as session:
        settle_row(session, reader, review.row_id, 999)
    with db.session(write=True) as session:
        settle_row(session, reader, review.row_id, None)
    with pytest.raises(LibraryRowUnknown), db.session(write=True) as session:
        settle_row(session, reader, review.row_id, find_book(db, "Dune"))


def test_a_row_that_the_catalog_has_by_now_is_asked_about_no_longer(db: Database, reader: int) -> None:
    bring(db, reader, row("Maus", "Art Spiegelman"))
    import_source(db, ListSource([work("maus0", "Maus", "Art Spiegelman")], name="more"))

    outcome = bring(db, reader, row("Maus", "Art Spiegelman"))

    assert (outcome.new, outcome.to_review) == (1, 0)
    with db.session() as session:
        assert list_reviews(session, reader, limit=1, offset=0)[0] == 0


def test_a_book_that_was_replaced_passes_what_it_gets_to_its_heir(db: Database, reader: int) -> None:
    with db.session() as session:
        matches = match_rows(session, [row("Emma", "Jane Austen")])
    with db.session(write=True) as session:
        merge_books(session.connection(), {find_book(db, "Emma"): find_book(db, "Dune")})

    with db.session(write=True) as session:
        write_library(session, reader, matches)

    assert list(read_ratings(db, reader)) == ["Dune"]
    assert bring(db, reader, row("Emma", "Jane Austen")).unchanged == 1


def test_a_book_that_is_hidden_is_found_by_nobody(db: Database, reader: int) -> None:
    with db.session() as session:
        matches = match_rows(session, [row("Emma", "Jane Austen")])
    with db.session(write=True) as session:
        book = session.get(Book, find_book(db, "Emma"))
        assert book is not None
        book.hidden = Hidden.WITHDRAWN

    with db.session(write=True) as session:
        write_library(session, reader, matches)

    assert read_ratings(db, reader) == {}
    assert bring(db, reader, row("Emma", "Jane Austen")).not_found == 1


def test_nobody_brings_a_library(db: Database, reader: int) -> None:
    with pytest.raises(UserUnknown), db.session(write=True) as session:
        write_library(session, 999, [])


def test_review_goes_with_its_reader(db: Database, reader: int) -> None:
    bring(db, reader, row("Maus", "Art Spiegelman"))

    with db.session(write=True) as session:
        session.delete(session.get(User, reader))

    with db.session() as session:
        assert list_reviews(session, reader, limit=1, offset=0)[0] == 0
