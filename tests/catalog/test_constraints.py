"""What the database itself refuses, and what goes with what it belongs to."""

import pytest
from sqlalchemy import delete, func, insert, select
from sqlalchemy.exc import DBAPIError

from catalog.database import Database, is_our_mistake
from catalog.tables import (
    Author,
    AuthorAlias,
    Base,
    Book,
    BookAuthor,
    BookEdit,
    BookSubject,
    Edition,
    Event,
    EventKind,
    Rating,
    Subject,
    SubjectAlias,
    User,
    UserSubject,
    WithdrawnEvent,
    WithdrawnRating,
)

OF_A_BOOK = {BookAuthor, BookEdit, BookSubject, Edition, Event, Rating, WithdrawnEvent, WithdrawnRating}
OF_A_READER = {Event, Rating, UserSubject, WithdrawnEvent, WithdrawnRating}
OF_AN_AUTHOR = {AuthorAlias, BookAuthor}
OF_A_SUBJECT = {BookSubject, SubjectAlias, UserSubject}
CHILDREN = OF_A_BOOK | OF_A_READER | OF_AN_AUTHOR | OF_A_SUBJECT


@pytest.fixture
def filled(db: Database) -> Database:
    """One row of each table of books and readers."""
    rows: list[tuple[type[Base], dict[str, object]]] = [
        (Author, {"author_id": 1, "name": "Ada", "name_key": "ada"}),
        (Subject, {"subject_id": 1, "name": "Trees"}),
        (Book, {"book_id": 1, "source": "test", "external_id": "1", "title": "Ash"}),
        (User, {"user_id": 1, "source": "test", "external_id": "1"}),
        (AuthorAlias, {"name_key": "a", "author_id": 1}),
        (SubjectAlias, {"raw": "trees", "subject_id": 1}),
        (BookAuthor, {"book_id": 1, "author_id": 1, "position": 0}),
        (BookEdit, {"book_id": 1, "field": "title", "edited_at": 1}),
        (BookSubject, {"book_id": 1, "subject_id": 1, "position": 0}),
        (Edition, {"isbn13": "9780000000019", "book_id": 1}),
        (UserSubject, {"user_id": 1, "subject_id": 1, "position": 0}),
        (Event, {"user_id": 1, "book_id": 1, "kind": EventKind.VIEW, "at": 1}),
        (Rating, {"user_id": 1, "book_id": 1, "rating": 5.0}),
        (WithdrawnEvent, {"user_id": 1, "book_id": 1, "kind": EventKind.VIEW, "withdrawn_at": 1}),
        (WithdrawnRating, {"user_id": 1, "book_id": 1, "withdrawn_at": 1}),
    ]
    with db.session(write=True) as session:
        for table, row in rows:
            session.execute(insert(table).values(row))
    return db


@pytest.mark.parametrize("rating", [0.0, 0.99, 10.01, -1.0, 100.0])
def test_a_rating_outside_of_the_scale_is_refused(filled: Database, rating: float) -> None:
    with (
        pytest.raises(DBAPIError, match="ck_ratings_range") as refused,
        filled.session(write=True) as session,
    ):
        session.execute(delete(Rating))
        session.execute(insert(Rating).values(user_id=1, book_id=1, rating=rating))

    assert is_our_mistake(refused.value)


@pytest.mark.parametrize("rating", [1.0, 7.75, 10.0, None])
def test_a_rating_of_the_scale_or_none_is_taken(filled: Database, rating: float | None) -> None:
    with filled.session(write=True) as session:
        session.execute(delete(Rating))
        session.execute(insert(Rating).values(user_id=1, book_id=1, rating=rating))

        assert session.scalar(select(Rating.rating)) == rating


@pytest.mark.parametrize(
    ("parent", "children"),
    [(Book, OF_A_BOOK), (User, OF_A_READER), (Author, OF_AN_AUTHOR), (Subject, OF_A_SUBJECT)],
    ids=["book", "reader", "author", "subject"],
)
def test_what_belongs_to_a_row_goes_with_it(
    filled: Database, parent: type[Base], children: set[type[Base]]
) -> None:
    with filled.session(write=True) as session:
        session.execute(delete(parent))

    with filled.session() as session:
        left = {table for table in CHILDREN if session.scalar(select(func.count()).select_from(table))}
    assert left == CHILDREN - children
