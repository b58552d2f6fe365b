"""What is measured of each version that is compared: how well it serves each held-out reader."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from foundation.arrays import F64, I64, Mask
from foundation.serving_rules import ServingRules
from pipeline.evaluation.cold import serve_cold, tell_favourites
from pipeline.evaluation.lists import (
    SubjectsOf,
    list_subjects,
    serve_collaborative,
)
from pipeline.evaluation.metrics import NDCG_K, ndcg_at_k, recall_at_k
from pipeline.evaluation.slices import find_head
from pipeline.evaluation.users import EvaluationUsers
from pipeline.models.fold_models import FoldModels
from pipeline.records import Export, Fold

MEANS: Final = ("recall", "ndcg", "cold_recall", "tail_recall")
"""The figures of which each reader has one."""


@dataclass(frozen=True, eq=False)
class Figures:
    """Figures of the same readers, (n_users,) each; NaN for a reader of whom a figure says nothing."""

    recall: F64
    ndcg: F64
    cold_recall: F64
    """By favourite subjects alone."""
    tail_recall: F64
    """Of what was held out, books outside the most read ones."""
    lists: list[I64]
    """The books that each is shown."""

    def take(self, rows: I64 | Mask) -> "Figures":
        """Those of an index or of a mask; a reader may come more than once."""
        chosen = np.flatnonzero(rows) if rows.dtype == bool else rows
        means = {name: getattr(self, name)[chosen] for name in MEANS}
        return Figures(**means, lists=[self.lists[row] for row in chosen])

    @property
    def n_shown(self) -> int:
        """Different books on all lists together."""
        return int(np.unique(np.concatenate(self.lists)).size)


@dataclass(frozen=True, eq=False)
class Measurer:
    """Measures any version on the same readers."""

    users: EvaluationUsers
    fold: Fold
    catalog: Export
    k: int
    rules: ServingRules

    def measure(self, models: FoldModels) -> Figures:
        """How well these models serve the readers, through the code that serves."""
        users, k = self.users, self.k
        lists = serve_collaborative(models.als, users, k, self.rules, self._subjects)
        return Figures(
            recall=recall_at_k(lists, users.held_out, k),
            ndcg=ndcg_at_k(lists, users.held_out, NDCG_K),
            cold_recall=recall_at_k(self._serve_cold(models), users.held_out, k),
            tail_recall=self._recall_tail(lists),
            lists=lists,
        )

    def _serve_cold(self, models: FoldModels) -> list[I64]:
        favourites = tell_favourites(self.catalog, self.fold.book_ids, self.users)
        return serve_cold(models, favourites, self.users, self.k, self.rules, self._subjects)

    @cached_property
    def _subjects(self) -> SubjectsOf:
        return list_subjects(self.catalog, self.rules)

    def _recall_tail(self, lists: Sequence[I64]) -> F64:
        counts = np.bincount(self.fold.user_items.indices, minlength=self.fold.book_ids.size)
        tail = self.fold.book_ids[~find_head(counts)]
        wanted = [books[np.isin(books, tail)] for books in self.users.held_out]
        pairs = [(served, books) for served, books in zip(lists, wanted, strict=True) if books.size]
        recall = np.full(self.users.size, np.nan)
        if pairs:
            has_any = np.array([books.size > 0 for books in wanted])
            shown, held_out = zip(*pairs, strict=True)
            recall[has_any] = recall_at_k(shown, held_out, self.k)
        return recall
