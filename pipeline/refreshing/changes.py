"""Finds what the catalog tells of books otherwise than a version was told."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from foundation.arrays import I64, Mask, find_rows
from pipeline.models.cards import FIGURES, SCHEMA

TOLD: Final = tuple(name for name in SCHEMA.names if name not in ("book_id", *FIGURES))
"""Columns of cards that come from the catalog alone."""


@dataclass(frozen=True, eq=False)
class BookChanges:
    """Books as they are shown now, beside those of a version."""

    book_ids: I64
    """(n,) ascending."""
    old_rows: I64
    """(n,): rows of the version's books, -1 for one that it does not have."""
    n_removed: int
    """Books of the version that are not shown any more."""
    differs: Mapping[str, Mask]
    """For each column of the cards, (n,): whether it differs; always for a new book."""

    @property
    def is_new(self) -> Mask:
        """(n,): whether the version does not have the book."""
        return self.old_rows < 0

    @property
    def n_changed(self) -> int:
        """Books that the version has, of which it was told otherwise."""
        return int((self._any(*self.differs) & ~self.is_new).sum())

    @property
    def is_none(self) -> bool:
        """Whether the version's books are those of now."""
        return not (self.n_removed or self.find(*self.differs).size)

    @property
    def moves_rows(self) -> bool:
        """Whether any book has another row than in the version."""
        return bool(self.n_removed or self.is_new.any())

    @property
    def new_rows(self) -> I64:
        """(n_old,): rows of now of the version's books, -1 for one that is not shown any more."""
        is_kept = np.flatnonzero(~self.is_new)
        new_rows = np.full(is_kept.size + self.n_removed, -1)
        new_rows[self.old_rows[is_kept]] = is_kept
        return new_rows

    def find(self, *columns: str) -> I64:
        """Rows of now that differ in any of these columns of their cards."""
        return np.flatnonzero(self._any(*columns))

    def take_old(self, values: Any, *, missing: Any = 0) -> Any:
        """The version's values, one a book, in the rows of now."""
        taken = np.full((self.book_ids.size, *values.shape[1:]), missing, dtype=values.dtype)
        taken[~self.is_new] = values[self.old_rows[~self.is_new]]
        return taken

    def _any(self, *columns: str) -> Mask:
        return np.asarray(np.logical_or.reduce([self.differs[column] for column in columns]))


def keep_books(book_ids: I64) -> BookChanges:
    """No change of these books."""
    nowhere = np.zeros(book_ids.size, dtype=bool)
    return BookChanges(book_ids, np.arange(book_ids.size), 0, dict.fromkeys(TOLD, nowhere))


def compare_books(old: pa.Table, new: pa.Table) -> BookChanges:
    """Cards of a version and of now, each ascending by book_id; figures of ratings are not compared."""
    old_ids, book_ids = old["book_id"].to_numpy(), new["book_id"].to_numpy()
    is_known, rows = find_rows(old_ids, book_ids)
    old_rows = np.full(book_ids.size, -1)
    old_rows[is_known] = rows
    for each in new.schema:
        if each.name not in old.column_names:  # a former release wrote cards without it
            old = old.append_column(each, pa.nulls(old.num_rows, each.type))
    before, now = old.take(pa.array(rows)), new.filter(pa.array(is_known))
    differs = {}
    for column in TOLD:
        differs[column] = ~is_known
        differs[column][is_known] = _find_differing(
            before[column].combine_chunks(), now[column].combine_chunks()
        )
    return BookChanges(book_ids, old_rows, old_ids.size - rows.size, differs)


def _find_differing(before: pa.Array, now: pa.Array) -> Mask:
    """(n,): where two columns of one length and type differ."""
    if not pa.types.is_list(now.type):
        is_same = pc.or_(pc.fill_null(pc.equal(before, now), False), pc.and_(before.is_null(), now.is_null()))
        return np.asarray(pc.invert(is_same).to_numpy(zero_copy_only=False))
    lengths = _measure(now)
    differs = np.asarray(_measure(before) != lengths)
    is_as_long = pa.array(~differs)
    left, right = before.filter(is_as_long), now.filter(is_as_long)
    rows = np.repeat(np.flatnonzero(~differs), lengths[~differs])
    differs[rows[_find_differing(left.flatten(), right.flatten())]] = True
    return differs


def _measure(lists: pa.ListArray) -> I64:
    """(n,): the length of each list, 0 where there is none."""
    return np.asarray(pc.fill_null(lists.value_lengths(), 0).to_numpy(zero_copy_only=False))
