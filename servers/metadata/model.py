"""Knows each book's card and popularity, and finds books by words of their titles, authors and subjects."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, get_args

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_array

from contracts.metadata import ALL_BOOKS, BookFilters, Sort
from foundation.arrays import F32, I32, I64, Mask, find_rows
from servers.errors import SubjectUnknown
from servers.metadata.cards import RenderedCards
from servers.metadata.columns import BookColumns
from servers.metadata.text_index import TextIndex

DEPTH_GROWTH: Final = 16
"""How many times as deep a search looks again that its filters left too few books of."""


@dataclass(frozen=True, eq=False)
class MetadataModel:
    """Cards, popularity and text index; rows of every array are the n books of `cards`."""

    cards: pa.Table
    """(n,) rows with the columns of `contracts.metadata.BookCard`, ascending by book_id."""
    popularity: F32
    """(n,) in [0, 1]: log1p(count) / log1p(largest count)."""
    popular_order: I32
    """(n,): rows, most popular first, ties by book_id."""
    subjects: list[str]
    subject_books: csr_array
    """(n_subjects, n), not 0 where the book has the subject."""
    text_index: TextIndex

    def find_cards(self, book_ids: Sequence[int]) -> list[dict[str, Any]]:
        """Cards in the order asked, as dicts by column; unknown books are left out."""
        rows: list[dict[str, Any]] = self.cards.take(find_rows(self.book_ids, book_ids)[1]).to_pylist()
        return rows

    def render_cards(self, book_ids: Sequence[int]) -> list[bytes]:
        """The same as JSON objects."""
        return self._rendered.render(book_ids)

    def popular(self, *, k: int, offset: int = 0, subject: str | None = None) -> tuple[I64, F32]:
        """Ids and popularity of the k most popular books from `offset` on, of all or of one subject.

        Letter case of the subject does not matter. Raises SubjectUnknown.
        """
        order = self.popular_order if subject is None else self._popular_of(subject)
        rows = order[offset : offset + k]
        return self.book_ids[rows], self.popularity[rows]

    def scores(self, book_ids: Sequence[int]) -> F32:
        """(n_books,): popularity of each book, 0 for an unknown one."""
        is_known, rows = find_rows(self.book_ids, book_ids)
        scores = np.zeros(len(book_ids), dtype=np.float32)
        scores[is_known] = self.popularity[rows]
        return scores

    def browse(
        self, filters: BookFilters, *, sort: Sort, k: int, offset: int = 0, exclude: Sequence[int] = ()
    ) -> tuple[I64, F32, int]:
        """Ids and popularity of a page of the books that pass the filters, and how many do in all."""
        is_wanted = self._select(filters)
        is_wanted[find_rows(self.book_ids, exclude)[1]] = False
        order = self._order(sort)
        rows = order[is_wanted[order]]
        page = rows[offset : offset + k]
        return self.book_ids[page], self.popularity[page], rows.size

    def search(self, text: str, k: int, filters: BookFilters = ALL_BOOKS) -> tuple[I64, F32]:
        """Ids and scores of the k books that match the words best; empty if no word matches any book.

        With filters, of those that pass them, looked for about as deep as they are rare.
        """
        if filters == ALL_BOOKS:
            return self.text_index.search(text, k)
        is_wanted = self._select(filters)
        depth = 2 * k * is_wanted.size // max(1, is_wanted.sum())
        while True:
            depth = min(depth, is_wanted.size)
            found, scores = self.text_index.search(text, depth)
            is_kept = is_wanted[np.searchsorted(self.book_ids, found)]
            if is_kept.sum() >= k or found.size < depth or depth == is_wanted.size:
                return found[is_kept][:k], scores[is_kept][:k]
            depth *= DEPTH_GROWTH

    def warm_up(self) -> None:
        """Touch what the first request would wait for; a version without books fails here."""
        self.render_cards([int(self.book_ids[0])])
        self.search("warm", k=1)
        for sort in get_args(Sort):
            self.browse(BookFilters(author="warm"), sort=sort, k=1)

    @cached_property
    def book_ids(self) -> I64:
        """(n,), ascending; a view of the table's own memory."""
        return np.asarray(self.cards["book_id"].to_numpy(), dtype=np.int64)

    @cached_property
    def _rendered(self) -> RenderedCards:
        return RenderedCards(self.cards, self.book_ids)

    @cached_property
    def _columns(self) -> BookColumns:
        return BookColumns(self.cards)

    def _select(self, filters: BookFilters) -> Mask:
        """(n,): whether the book passes all filters."""
        is_wanted = np.ones(self.book_ids.size, dtype=bool)
        if filters.subject is not None:
            row = self._subject_rows.get(filters.subject.casefold())
            is_wanted[:] = False
            if row is not None:
                is_wanted[self._books_of(row)] = True
        if filters.author is not None:
            is_wanted &= self._columns.written_by(filters.author)
        if filters.language is not None:
            is_wanted &= self._columns.in_language(filters.language)
        if filters.year_from is not None or filters.year_to is not None:
            is_wanted &= self._columns.published(filters.year_from, filters.year_to)
        return is_wanted

    def _order(self, sort: Sort) -> I64 | I32:
        """(n,): all rows, the first first."""
        match sort:
            case "popular":
                return self.popular_order
            case "newest":
                return self._newest_order
            case "title":
                return self._columns.by_title

    @cached_property
    def _newest_order(self) -> I32:
        by_age = np.argsort(-self._columns.years[self.popular_order], kind="stable")
        return self.popular_order[by_age]

    @cached_property
    def _subject_rows(self) -> dict[str, int]:
        return {name.casefold(): row for row, name in enumerate(self.subjects)}

    def _popular_of(self, subject: str) -> I32:
        row = self._subject_rows.get(subject.casefold())
        if row is None:
            raise SubjectUnknown(subject)
        books = self._books_of(row)
        order: I32 = books[np.lexsort((books, -self.popularity[books]))]
        return order

    def _books_of(self, subject_row: int) -> I32:
        first, last = self.subject_books.indptr[subject_row : subject_row + 2]
        books: I32 = self.subject_books.indices[first:last]
        return books
