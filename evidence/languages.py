"""What a reader can read: books in the languages of the history, also those that few have read."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self

import numpy as np

from evidence.kind import History, Kind, Scored, TrainingData
from foundation.arrays import I32, I64, place_rows
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
        languages, spoken, n_books = self._languages
        read, n_read = spoken[history.item_idx], max(history.item_idx.size, 1)
        n_each = np.bincount(read, minlength=languages.size)
        shares = np.bincount(read, history.weights, minlength=languages.size) / n_read
        is_outside = (languages > 0) & (n_books > n_each)
        unit = n_each[is_outside].max(initial=0) / n_read
        return Scored(np.where(languages > 0, shares, 0).astype(np.float32)[spoken], float(unit))

    def spread(self, rows: I64, n_items: int) -> Self:
        """The same languages."""
        return type(self)(place_rows(self.languages, rows, n_items))

    @cached_property
    def _languages(self) -> tuple[I32, I64, I64]:
        """The languages that there are, which of them each book has, (n,), and how many books each has."""
        return np.unique(self.languages, return_inverse=True, return_counts=True)


def number_language(code: str) -> int:
    """A number above 0 for a code of three letters, as ISO 639-2 has them: the same in every version."""
    return int.from_bytes(code.encode(), "big")
