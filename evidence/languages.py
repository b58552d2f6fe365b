"""What a reader can read: books in the languages of the history, also those that few have read."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final, Self

import numpy as np

from evidence.kind import Found, History, Kind, Scored, Scores, TrainingData
from foundation.arrays import F32, I32, I64, Chosen, place_rows, top_k
from foundation.settings import Options
from foundation.tools import Tools

N_OF_EACH: Final = 300
"""Most popular books of a language that are worth a look for its readers."""


@dataclass(frozen=True, eq=False)
class Shares(Found):
    """What share of a history is in a book's language."""

    shares: F32
    """(n_languages,)."""
    spoken: I64
    """(n,): which of them each book has."""
    candidates: None = None

    def score(self, chosen: Chosen) -> Scores:
        return np.asarray(self.shares[chosen.take(self.spoken)])


@dataclass(frozen=True, eq=False)
class Languages(Kind[Options]):
    """Which language each book is in; it explains nothing, since too many books of a history would."""

    learned: ClassVar[bool] = False

    languages: I32
    """(n,): the number of the language, as `number_language` has it; 0 where none is told."""

    @classmethod
    def fit(cls, data: TrainingData, params: Options, *, seed: int, tools: Tools) -> Self:
        return cls(data.languages)

    @property
    def n_items(self) -> int:
        """n."""
        return int(self.languages.size)

    def head(self, popularity: F32) -> I64:
        """The most popular of each language."""
        languages, spoken, _ = self._languages
        of_each = (np.flatnonzero(spoken == at) for at in range(languages.size))
        return np.concatenate([rows[top_k(popularity[rows], N_OF_EACH)] for rows in of_each])

    def find(self, history: History) -> Found:
        """The share of the history that is in the book's language, by what each of its books counts."""
        languages, spoken, _ = self._languages
        n_read = max(history.item_idx.size, 1)
        shares = np.bincount(spoken[history.item_idx], history.weights, minlength=languages.size) / n_read
        return Shares(np.where(languages > 0, shares, 0).astype(np.float32), spoken)

    def score(self, history: History) -> Scored:
        """Every book."""
        languages, spoken, n_books = self._languages
        n_each = np.bincount(spoken[history.item_idx], minlength=languages.size)
        is_outside = (languages > 0) & (n_books > n_each)
        unit = n_each[is_outside].max(initial=0) / max(history.item_idx.size, 1)
        return Scored(self.find(history).score(Chosen.all(self.n_items)), float(unit))

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
