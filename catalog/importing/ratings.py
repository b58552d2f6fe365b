"""Writes ratings: one a reader and book, the best of several."""

import time
from array import array
from collections.abc import Callable
from contextlib import nullcontext
from typing import Final

import numpy as np
from sqlalchemy import Connection, func, select

from catalog.bulk import CHUNK_ROWS, RowWriter, indexed_afterwards
from catalog.errors import IsbnInvalid
from catalog.importing.changes import Changes
from catalog.importing.identity import BookIdentities
from catalog.importing.ids import is_usable_id
from catalog.importing.rating_columns import (
    UNDATED,
    RatingCollector,
    RatingColumns,
    choose_best,
    find_left_behind,
    is_taken_back,
    overlay,
)
from catalog.importing.users import ERASED, UserImporter
from catalog.isbn import parse_isbn
from catalog.merging.best import is_given_here
from catalog.sources.records import RawRating
from catalog.sources.row_log import RowLog
from catalog.sources.scale import Scale
from catalog.tables import Book, Rating, User, WithdrawnRating
from foundation.arrays import find_rows

_NO_BOOK: Final = "no book record"


class RatingImporter:
    """Takes a source's ratings, and writes them once all are known."""

    def __init__(
        self,
        users: UserImporter,
        books: BookIdentities,
        keep_untitled: Callable[[str], int],
        scale: Scale,
        log: RowLog,
    ) -> None:
        """`keep_untitled` tells the book of an ISBN that has none yet."""
        self._users, self._books, self._scale, self._log = users, books, scale, log
        self._keep_untitled = keep_untitled
        # What was found out once, as most books and all ratings come many times; a text tells what is wrong.
        self._found_books: dict[str | tuple[str, str], int | str] = {}
        self._found_ratings: dict[str, float | str] = {}
        self._collected = RatingCollector()
        self.changes = Changes()

    def add(self, raw: RawRating) -> None:
        """Note a rating of a known book or of an ISBN; others are dropped."""
        rating = self._found_ratings.get(raw.rating)
        if rating is None:
            rating = self._found_ratings[raw.rating] = self._read_rating(raw.rating)
        if not is_usable_id(raw.user):
            self._log.drop(raw.file, "no usable reader id")
        elif self._users.is_erased(raw.user):
            self._log.drop(raw.file, ERASED)
        elif isinstance(rating, str):
            self._log.drop(raw.file, rating)
        elif isinstance(book := self._find_or_keep(raw.work, raw.isbn), str):
            self._log.drop(raw.file, book)
        else:
            user_id = self._users.find_or_create(raw.user)
            self._collected.add(user_id, book, rating, raw.rated_at)
            self._collected.origins.add(raw.file, self._log.line)

    def find_book(self, work: str | None, isbn: str) -> int | str:
        """The book of a work or, if that is unknown, of an ISBN; or why there is none."""
        named = _name(work, isbn)
        book = self._found_books.get(named)
        if book is None:
            book = self._found_books[named] = self._find_book(work, isbn)
        return book

    def write(self, connection: Connection, source: str) -> RatingColumns:
        """Write the ratings and return all that readers of this source now have.

        A rating that a reader gave here after the dump's stays, and one that they took back does not return.
        """
        incoming = self._choose(read_withdrawn(connection, source))
        left_behind = find_left_behind(incoming, self._books.separated())
        from_dump = ~is_given_here(Rating.given_here, Rating.rated_at)
        key = ("user_id", "book_id")
        RowWriter.deleting(connection, Rating, from_dump, where=key).extend(left_behind)
        stored = read_ratings(connection, source)
        found, place = find_rows(stored.pairs(), incoming.pairs())
        is_changed, is_older = np.zeros(found.size, dtype=bool), np.zeros(found.size, dtype=bool)
        old, again = stored.take(place), incoming.take(found)
        is_older[found] = old.rated_at > again.rated_at
        is_changed[found] = ~np.isclose(old.rating, again.rating, equal_nan=True) | (
            old.rated_at < again.rated_at
        )
        columns, not_here = ("rating", "rated_at"), {"given_here": False}
        new, changed = incoming.take(~found), incoming.take(is_changed & ~is_older)
        n_stored = found.sum() - changed.user_id.size
        self.changes = Changes(new.user_id.size, changed.user_id.size, int(n_stored))
        inserted = RowWriter.inserting(
            connection, Rating, *columns, *key, **not_here, created_at=int(time.time())
        )
        is_filling = new.user_id.size > stored.user_id.size
        with indexed_afterwards(connection, Rating) if is_filling else nullcontext():
            inserted.extend(new.rows())
        RowWriter.updating(connection, Rating, *columns, where=key, **not_here).extend(changed.rows())
        return overlay(stored, incoming.take(~is_older))

    def _choose(self, withdrawn: RatingColumns) -> RatingColumns:
        """One rating a reader and book, without those taken back; what comes of each row is counted."""
        everything = self._collected.columns()
        taken_back = is_taken_back(everything, withdrawn)
        given = np.flatnonzero(~taken_back)
        best = given[choose_best(everything.take(~taken_back))]
        is_other = ~taken_back
        is_other[best] = False
        for file, n, _ in self._collected.origins.by_file(best):
            self._log.keep(file, n)
        for reason, rows in (
            ("reader rated the book more than once", np.flatnonzero(is_other)),
            ("reader took the rating back", np.flatnonzero(taken_back)),
        ):
            for file, n, lines in self._collected.origins.by_file(rows):
                self._log.drop_lines(file, reason, n, lines)
        return everything.take(best)

    def _find_or_keep(self, work: str | None, isbn: str) -> int | str:
        book = self.find_book(work, isbn)
        if book == _NO_BOOK and isbn:
            isbn13 = parse_isbn(isbn, repair_zeros=True)
            book = self._found_books[_name(work, isbn)] = self._keep_untitled(isbn13)
        return book

    def _find_book(self, work: str | None, isbn: str) -> int | str:
        book_id = None if work is None else self._books.book_of_work(work)
        if book_id is None and (isbn or work is None):
            try:
                isbn13 = parse_isbn(isbn, repair_zeros=True)
            except IsbnInvalid as error:
                return f"ISBN: {error.reason}"
            if self._books.is_removed(isbn13):
                return "an operator has removed the ISBN"
            book_id = self._books.book_of_isbn(isbn13)
        return _NO_BOOK if book_id is None else book_id

    def _read_rating(self, text: str) -> float | str:
        """The rating from 1 to 10, NaN for an implicit one; or why it is none."""
        try:
            rating = self._scale.parse(text)
        except ValueError:
            return f"rating is not {self._scale}"
        return float("nan") if rating is None else rating


def _name(work: str | None, isbn: str) -> str | tuple[str, str]:
    """A text where one will do: of a pair, Python would look at three objects for each rating."""
    return isbn if work is None else (work, isbn)


def read_ratings(connection: Connection, source: str) -> RatingColumns:
    """All stored ratings of a source's readers."""
    result = connection.execute(
        select(Rating.user_id, Rating.book_id, Rating.rating, Rating.rated_at)
        .join(User, User.user_id == Rating.user_id)
        .where(User.source == source)
        .order_by(Rating.user_id, Rating.book_id),
        execution_options={"stream_results": True},
    )
    users, books, values, times = array("q"), array("q"), array("d"), array("q")
    for rows in result.partitions(CHUNK_ROWS):
        user_ids, book_ids, ratings, rated_at = zip(*rows, strict=True)
        users.extend(user_ids)
        books.extend(book_ids)
        values.extend(float("nan") if rating is None else rating for rating in ratings)
        times.extend(UNDATED if time is None else time for time in rated_at)
    return RatingColumns(np.array(users), np.array(books), np.array(values), np.array(times))


def read_withdrawn(connection: Connection, source: str) -> RatingColumns:
    """When a source's readers took ratings back, in place of when they rated; by books as they are now."""
    book_id = func.coalesce(Book.replaced_by, Book.book_id)
    withdrawn_at = func.max(WithdrawnRating.withdrawn_at)
    rows = connection.execute(
        select(WithdrawnRating.user_id, book_id, withdrawn_at)
        .join(User, User.user_id == WithdrawnRating.user_id)
        .join(Book, Book.book_id == WithdrawnRating.book_id)
        .where(User.source == source)
        .group_by(WithdrawnRating.user_id, book_id)
        .order_by(WithdrawnRating.user_id, book_id)
    ).all()
    users, books, times = np.array([tuple(row) for row in rows], dtype=np.int64).reshape(-1, 3).T
    return RatingColumns(users, books, np.full(users.size, np.nan), times)
