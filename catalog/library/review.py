"""The rows of libraries of which readers are asked which books they are, and what they have answered.

An answer is kept, so that the same row is not asked about again.
"""

import hashlib
import json
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from catalog.bulk import RowWriter
from catalog.errors import LibraryRowUnknown
from catalog.library.matching import Guess, Match
from catalog.library.records import ExportRow, Shelf
from catalog.tables import NAME_LENGTH, TITLE_LENGTH, LibraryRow

_DESCRIPTION: Final = ("title", "author", "isbn", "rating", "read_at", "shelf", "candidates")


@dataclass(frozen=True, slots=True)
class Review:
    """A row that waits for its reader."""

    row_id: int
    title: str
    author: str
    isbn: str | None
    rating: float | None
    read_at: int | None
    shelf: Shelf
    guesses: tuple[Guess, ...]
    """The surest first."""


def make_key(row: ExportRow) -> str:
    """What tells a row from the others of its library, whenever it is brought."""
    text = json.dumps([row.title, row.authors, row.isbn])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def read_settled(session: Session, user_id: int) -> dict[str, int | None]:
    """The reader's answers, by the keys of the rows; None for a row that is none of the catalog's books."""
    answers = select(LibraryRow.row_key, LibraryRow.book_id).where(
        LibraryRow.user_id == user_id, LibraryRow.settled_at.is_not(None)
    )
    return dict(session.execute(answers).all())


def keep_reviews(session: Session, user_id: int, matches: Sequence[Match]) -> None:
    """Ask the reader about these rows, once about each."""
    connection, columns = session.connection(), [*_DESCRIPTION, "row_key"]
    stored = set(session.scalars(select(LibraryRow.row_key).filter_by(user_id=user_id)))
    waiting = set(session.scalars(select(LibraryRow.row_key).where(*_waiting(user_id))))
    described = {make_key(match.row): _describe(match) for match in matches}
    known = {"user_id": user_id, "created_at": int(time.time())}
    RowWriter.inserting(connection, LibraryRow, *columns, **known).extend(
        (*values, key) for key, values in described.items() if key not in stored
    )
    RowWriter.updating(connection, LibraryRow, *_DESCRIPTION, where=["row_key", "user_id"]).extend(
        (*values, key, user_id) for key, values in described.items() if key in waiting
    )


def drop_reviews(session: Session, user_id: int, keys: Collection[str]) -> None:
    """Ask no longer about these rows."""
    waiting = set(session.scalars(select(LibraryRow.row_key).where(*_waiting(user_id))))
    if known := waiting.intersection(keys):
        session.execute(delete(LibraryRow).where(*_waiting(user_id), LibraryRow.row_key.in_(known)))


def list_reviews(session: Session, user_id: int, *, limit: int, offset: int) -> tuple[int, list[Review]]:
    """How many rows wait for the reader, and a page of them in the order in which they came."""
    total = session.scalar(select(func.count()).select_from(LibraryRow).where(*_waiting(user_id))) or 0
    rows = session.scalars(
        select(LibraryRow).where(*_waiting(user_id)).order_by(LibraryRow.row_id).limit(limit).offset(offset)
    )
    return total, [_parse(row) for row in rows]


def settle_review(session: Session, user_id: int, row_id: int, book_id: int | None) -> Review:
    """Keep which book a row is, None for none, and return it. Raises LibraryRowUnknown.

    The same answer may be given again, another one not.
    """
    row = session.scalar(select(LibraryRow).filter_by(user_id=user_id, row_id=row_id))
    if row is None or (row.settled_at is not None and row.book_id != book_id):
        raise LibraryRowUnknown(row_id)
    row.settled_at, row.book_id = row.settled_at or int(time.time()), book_id
    return _parse(row)


def _waiting(user_id: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Those of a reader's rows that wait."""
    return LibraryRow.user_id == user_id, LibraryRow.settled_at.is_(None)


def _describe(match: Match) -> tuple[object, ...]:
    row, guesses = match.row, [[guess.book_id, guess.confidence] for guess in match.guesses]
    author = ", ".join(row.authors)[:NAME_LENGTH]
    return row.title[:TITLE_LENGTH], author, row.isbn, row.rating, row.at, row.shelf, json.dumps(guesses)


def _parse(row: LibraryRow) -> Review:
    return Review(
        row_id=row.row_id,
        title=row.title,
        author=row.author,
        isbn=row.isbn,
        rating=row.rating,
        read_at=row.read_at,
        shelf=Shelf(row.shelf),
        guesses=tuple(Guess(book_id, confidence) for book_id, confidence in json.loads(row.candidates)),
    )
