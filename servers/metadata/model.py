"""Knows each book's card and popularity, and finds books by words of their titles, authors and subjects."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_array

from foundation.arrays import F32, I32, I64, find_rows
from servers.errors import SubjectUnknown
from servers.metadata.text_index import TextIndex


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

    def search(self, text: str, k: int) -> tuple[I64, F32]:
        """Ids and scores of the k books that match the words best; empty if no word matches any book."""
        return self.text_index.search(text, k)

    def warm_up(self) -> None:
        """Touch what the first request would wait for; a version without books fails here."""
        self.find_cards([int(self.book_ids[0])])
        self.search("warm", k=1)

    @cached_property
    def book_ids(self) -> I64:
        """(n,), ascending; a view of the table's own memory."""
        return np.asarray(self.cards["book_id"].to_numpy(), dtype=np.int64)

    @cached_property
    def _subject_rows(self) -> dict[str, int]:
        return {name.casefold(): row for row, name in enumerate(self.subjects)}

    def _popular_of(self, subject: str) -> I32:
        row = self._subject_rows.get(subject.casefold())
        if row is None:
            raise SubjectUnknown(subject)
        books = self.subject_books.indices[
            self.subject_books.indptr[row] : self.subject_books.indptr[row + 1]
        ]
        order: I32 = books[np.lexsort((books, -self.popularity[books]))]
        return order
