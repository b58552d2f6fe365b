"""What everybody reads: the only evidence that is the same for all."""

from dataclasses import dataclass, field
from typing import ClassVar, Final, Self

import numpy as np

from evidence.kind import Found, History, Kind, Same, TrainingData
from foundation.arrays import F32, I64, place_rows, top_k
from foundation.records import formerly
from foundation.settings import Options
from foundation.tools import Tools

N_POPULAR: Final = 1000
"""Books that may be among the most popular of those that a reader has not read."""


@dataclass(frozen=True, eq=False)
class Popularity(Kind[Options]):
    """How widely each book is read; it comes from no book of a history, so it explains nothing."""

    learned: ClassVar[bool] = False
    personal: ClassVar[bool] = False

    popularity: F32 = field(metadata=formerly("../../popularity"))
    """(n,) in [0, 1]: log1p(count) / log1p(largest count)."""

    @classmethod
    def fit(cls, data: TrainingData, params: Options, *, seed: int, tools: Tools) -> Self:
        return cls(measure_popularity(data.counts))

    @property
    def n_items(self) -> int:
        """n."""
        return int(self.popularity.size)

    def head(self, popularity: F32) -> I64:
        """The most popular."""
        return top_k(popularity, N_POPULAR)

    def find(self, history: History) -> Found:
        """Popularity, whatever the history."""
        return Same(self.popularity)

    def spread(self, rows: I64, n_items: int) -> Self:
        """The same popularity."""
        return type(self)(place_rows(self.popularity, rows, n_items))


def measure_popularity(counts: I64) -> F32:
    """log1p(count) / log1p(largest count), (n,) in [0, 1]."""
    return np.asarray(np.log1p(counts) / np.log1p(max(counts.max(initial=0), 1)), dtype=np.float32)
