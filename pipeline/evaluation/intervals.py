"""How sure a figure is: bootstrap intervals over readers, of means, paired differences and ratios.

All that is compared is measured on the same readers, and each draw of readers counts for all of it: so what
makes a reader easy or hard for every model leaves no trace in a difference.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from foundation.arrays import F64

N_DRAWS: Final = 2000
LOW, HIGH = 2.5, 97.5
"""Percentiles of the draws that bound a 95 % interval."""
DRAWS_PER_BATCH: Final = 64
"""Bounds the memory: so many draws of all readers are held at once."""


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, mean: float, drawn: F64) -> Self:
        """Of a figure and what it would be for each draw of readers."""
        low, high = np.percentile(drawn, (LOW, HIGH))
        return cls(float(mean), float(low), float(high))


def bootstrap_mean(values: F64, rng: np.random.Generator, *, n_draws: int = N_DRAWS) -> Interval:
    """The mean over readers, (n_users,); of each reader's difference between two systems it is paired."""
    return Interval.of(values.mean(), draw_means(values[:, None], rng, n_draws=n_draws)[:, 0])


def bootstrap_ratio(
    values: F64, baseline: F64, rng: np.random.Generator, *, n_draws: int = N_DRAWS
) -> Interval | None:
    """The mean over readers over that of a baseline for the same readers, both (n_users,): paired.

    None where a draw of readers leaves the baseline with nothing.
    """
    drawn = draw_means(np.stack([values, baseline], axis=1), rng, n_draws=n_draws)
    if not drawn[:, 1].all():
        return None
    return Interval.of(values.mean() / baseline.mean(), drawn[:, 0] / drawn[:, 1])


def draw_means(values: F64, rng: np.random.Generator, *, n_draws: int = N_DRAWS) -> F64:
    """(n_draws, n_columns): means of the columns of (n_users, n_columns) over readers drawn anew each time.

    As many are drawn as there are, with replacement, the same ones for all columns. The same generator gives
    the same draws, whatever the columns.
    """
    n_users, drawn = len(values), []
    for first in range(0, n_draws, DRAWS_PER_BATCH):
        n = min(DRAWS_PER_BATCH, n_draws - first)
        places = rng.integers(n_users, size=(n, n_users)) + n_users * np.arange(n)[:, None]
        n_times = np.bincount(places.ravel(), minlength=n * n_users).reshape(n, n_users)
        drawn.append(n_times.astype(np.float64) @ values / n_users)
    return np.concatenate(drawn)
