"""What a reader can read: books in the languages of the history, also those that few have read."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self

import numpy as np

from evidence.kind import History, Kind, Scored, TrainingData, largest_outside
from foundation.arrays import F32, I32, I64, place_rows
from foundation.settings import Options
from foundation.tools import Tools


@dataclass(frozen=True, eq=False)
class Languages(Kind[Options]):
    """Which language each book is in; it explains nothing, since too many books of a history would."""

    learned: ClassVar[bool] = False

    languages: I32
    """(n,): the number of the language, as `number_language` has it; 0 where none is told."""

    @classmethod
    def fit(cls, data: TrainingData, params: Options, *, seed: int, tools: Tools) -> Self:
        return cls(data.languages)

    def score(self, history: History) -> Scored:
        """The share of the history that is in the book's language, by what each of its books counts."""
        scores = self._share(history, history.weights)
        unrated = self._share(history, np.ones_like(history.weights)) if history.is_rated else scores
        return Scored(scores, largest_outside(unrated, history))

    def spread(self, rows: I64, n_items: int) -> Self:
        """The same languages."""
        return type(self)(place_rows(self.languages, rows, n_items))

    def _share(self, history: History, weights: F32) -> F32:
        names, named = self._named
        shares = np.bincount(named[history.item_idx], weights, minlength=names.size)
        return np.asarray(np.where(names > 0, shares / weights.size, 0)[named], dtype=np.float32)

    @cached_property
    def _named(self) -> tuple[I32, I64]:
        """The languages that there are, and (n,) which of these each book has."""
        return np.unique(self.languages, return_inverse=True)


def number_language(code: str) -> int:
    """A number above 0 for a code of three letters, as ISO 639-2 has them: the same in every version."""
    return int.from_bytes(code.encode(), "big")
