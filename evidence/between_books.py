"""What kinds of evidence have in common that are weights with which books speak for each other."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import csr_array

from evidence.kind import Found, History, Kind, P, Terms
from foundation.arrays import F64, I64
from foundation.sparse import gather_rows, spread_rows


@dataclass(frozen=True, eq=False)
class BetweenBooks(Kind[P]):
    """Item-item weights, however they were found."""

    weights: csr_array
    """(n, n): row h holds the weights with which book h speaks for others."""

    @property
    def n_items(self) -> int:
        """n."""
        return int(self.weights.shape[1])

    def find(self, history: History) -> Found:
        """Summed weights of the history's books, times what each of these counts."""
        entries = gather_rows(self.weights, history.item_idx)
        return Terms(entries.columns, entries.values * history.weights[entries.rows])

    def spread(self, rows: I64, n_items: int) -> Self:
        """The same weights."""
        spread = spread_rows(self.weights, rows, n_items)
        # Books that come after all others move no column: what is as it was is not written again.
        is_moved = rows[-1:] >= rows.size
        columns = rows.astype(spread.indices.dtype)[spread.indices] if is_moved.any() else spread.indices
        shape = (n_items, n_items)
        return type(self)(csr_array((spread.data, columns, spread.indptr), shape=shape, copy=False))

    def explain(self, history: History, asked: I64) -> F64:
        """The terms of that sum."""
        return np.asarray(self.weights[history.item_idx][:, asked].toarray().T * history.weights)
