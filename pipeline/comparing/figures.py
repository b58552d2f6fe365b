"""From what each reader gets to figures: means with intervals, differences and ratios to a baseline."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from foundation.arrays import F64, I64, Mask
from pipeline.evaluation.intervals import Interval, draw_means
from pipeline.evaluation.metrics import (
    average_precision_of_hits,
    count_books,
    find_hits,
    hit_rate_of_hits,
    ndcg_of_hits,
    plain_recall_of_hits,
    precision_of_hits,
    recall_of_hits,
)

TOP: Final = 10
"""The places that readers see first."""


@dataclass(frozen=True, eq=False)
class Table:
    """What each model is worth to each reader."""

    user_ids: I64
    """(n_users,) ascending."""
    values: dict[str, dict[str, F64]]
    """(n_users,) by model and figure; NaN where a reader tells nothing."""

    def take(self, mask: Mask) -> "Table":
        """Those readers where the mask holds."""
        values = {
            model: {name: each[mask] for name, each in of_model.items()}
            for model, of_model in self.values.items()
        }
        return Table(self.user_ids[mask], values)

    def only(self, *figures: str) -> "Table":
        """These figures alone."""
        values = {
            model: {name: of_model[name] for name in figures} for model, of_model in self.values.items()
        }
        return Table(self.user_ids, values)


@dataclass(frozen=True)
class ModelFigures:
    """One model's figures over readers, and how far they are from the baseline's for the same readers."""

    means: dict[str, Interval]
    gains: dict[str, Interval]
    ratios: dict[str, Interval]
    """Without those figures of which the baseline may have nothing."""


def measure_lists(lists: Sequence[I64], held_out: Sequence[I64], k: int) -> dict[str, F64]:
    """(n_users,) by figure: what each reader's list is worth to them."""
    is_hit, n_held_out = find_hits(lists, held_out, max(k, TOP)), count_books(held_out)
    return {
        f"recall@{k}": recall_of_hits(is_hit, n_held_out, k),
        f"plain recall@{k}": plain_recall_of_hits(is_hit, n_held_out, k),
        f"precision@{TOP}": precision_of_hits(is_hit, n_held_out, TOP),
        f"MAP@{k}": average_precision_of_hits(is_hit, n_held_out, k),
        f"NDCG@{TOP}": ndcg_of_hits(is_hit, n_held_out, TOP),
        f"NDCG@{k}": ndcg_of_hits(is_hit, n_held_out, k),
        f"hit rate@{TOP}": hit_rate_of_hits(is_hit, n_held_out, TOP),
    }


def pool(tables: Sequence[Table]) -> Table:
    """Each reader's mean over those tables that they are in; all have the same models and figures."""
    user_ids = np.unique(np.concatenate([table.user_ids for table in tables]))
    rows = [np.searchsorted(user_ids, table.user_ids) for table in tables]

    def average(model: str, figure: str) -> F64:
        stacked = np.full((len(tables), user_ids.size), np.nan)
        for at, table in enumerate(tables):
            stacked[at, rows[at]] = table.values[model][figure]
        n_known = (~np.isnan(stacked)).sum(axis=0)
        total = np.nansum(stacked, axis=0)
        return np.where(n_known > 0, total / np.maximum(n_known, 1), np.nan)

    first = tables[0].values
    return Table(user_ids, {model: {name: average(model, name) for name in first[model]} for model in first})


def summarise(table: Table, *, baseline: str, seed: int) -> dict[str, ModelFigures]:
    """Of each model the mean of each figure, and its paired difference and ratio to the baseline's."""
    columns = [(model, name) for model, values in table.values.items() for name in values]
    values = np.stack([table.values[model][name] for model, name in columns], axis=1)
    means, drawn = _draw_known(values, np.random.default_rng(seed))
    place = {column: at for at, column in enumerate(columns)}

    def figures(model: str) -> ModelFigures:
        own = {name: place[model, name] for name in table.values[model]}
        theirs = {name: place[baseline, name] for name in own}
        return ModelFigures(
            means={name: Interval.of(means[at], drawn[:, at]) for name, at in own.items()},
            gains={
                name: Interval.of(means[at] - means[theirs[name]], drawn[:, at] - drawn[:, theirs[name]])
                for name, at in own.items()
            },
            ratios={
                name: Interval.of(means[at] / means[theirs[name]], drawn[:, at] / drawn[:, theirs[name]])
                for name, at in own.items()
                if drawn[:, theirs[name]].all()
            },
        )

    return {model: figures(model) for model in table.values}


def _draw_known(values: F64, rng: np.random.Generator) -> tuple[F64, F64]:
    """(n_columns,) means and (n_draws, n_columns) means of draws of readers, of those who tell something."""
    is_known = ~np.isnan(values)
    if is_known.all():
        return values.mean(axis=0), draw_means(values, rng)
    both = draw_means(np.hstack([np.nan_to_num(values), is_known]), rng)
    sums, shares = np.split(both, 2, axis=1)
    return np.nanmean(values, axis=0), sums / shares
