"""What is known of a book beside what speaks for it: how old it is, who reads it, and how they rate it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from foundation.arrays import F32, F64, I64, place_rows


@dataclass(frozen=True, eq=False)
class Figures:
    """Figures of the n books of a model, none of them NaN: what is not known is as most books have it."""

    names: list[str]
    """(n_figures,)."""
    values: F32
    """(n, n_figures)."""

    def compare(self, names: Sequence[str], item_idx: I64, history: I64) -> F32:
        """(n_items, n_names): by how much these figures of books are above their means over a history."""
        columns = [self.names.index(name) for name in names]
        of_history = self.values.take(history, axis=0).mean(axis=0)
        return np.asarray((self.values.take(item_idx, axis=0) - of_history)[:, columns])

    def spread(self, rows: I64, n_items: int) -> Self:
        """The same figures in these ascending rows of n_items; the others have what most books have."""
        values = place_rows(self.values, rows, n_items)
        values[~np.isin(np.arange(n_items), rows)] = np.median(self.values, axis=0)
        return replace(self, values=values)

    def tell(self, name: str, told: F32 | F64) -> Self:
        """One figure anew, (n,), where it is not NaN."""
        values = self.values.copy()
        column = self.names.index(name)
        values[:, column] = np.where(np.isnan(told), values[:, column], told)
        return replace(self, values=values)
