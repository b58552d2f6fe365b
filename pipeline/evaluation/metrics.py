"""The one definition of every quality figure: recall@k, NDCG@k, AUC and coverage."""

from collections.abc import Sequence

import numpy as np

from foundation.arrays import F32, F64, I64, Mask

NDCG_K = 10
"""Places that the NDCG of every report looks at."""
LOVED, DISLIKED = 8.0, 5.0
"""Who rates a book so high or higher loves it; who rates it so low or lower should not have been shown it."""


def recall_at_k(recommended: Sequence[I64], held_out: Sequence[I64], k: int) -> F64:
    """(n_users,): books of each reader's first k that they held out, over min(k, number held out).

    The held-out list counts in full, also books that no model could know; none of the lists is empty.
    """
    hits = [np.isin(books[:k], truth).sum() for books, truth in zip(recommended, held_out, strict=True)]
    return np.asarray(hits, dtype=np.float64) / [min(k, truth.size) for truth in held_out]


def ndcg_at_k(recommended: Sequence[I64], held_out: Sequence[I64], k: int) -> F64:
    """(n_users,): discounted gain Σ 1 / log2(place + 1) of the held-out books over that of an ideal list.

    Relevance is binary, places count from 1, and the ideal list has min(k, number held out) hits at its top.
    """
    is_hit = np.zeros((len(held_out), k), dtype=bool)
    for at, (books, truth) in enumerate(zip(recommended, held_out, strict=True)):
        is_hit[at, : books[:k].size] = np.isin(books[:k], truth)
    return ndcg_of_hits(is_hit, np.array([truth.size for truth in held_out]), k)


def ndcg_of_hits(is_hit: Mask, n_held_out: I64, k: int) -> F64:
    """(n_users,): the same of lists, (n_users, at least k), of which it is known what hits."""
    discounts = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discounts)
    return np.asarray(is_hit[:, :k] @ discounts / ideal[np.minimum(k, n_held_out) - 1])


def auc_of_loved(ranked: I64, held_out: I64, ratings: F32) -> float | None:
    """Share of a reader's pairs of a loved and a disliked held-out book in which the loved one ranks higher.

    `ranked` is the whole vocabulary but the history, best first; what it lacks is in no pair. None without a
    pair.
    """
    _, rows, places = np.intersect1d(held_out, ranked, assume_unique=True, return_indices=True)
    loved, disliked = places[ratings[rows] >= LOVED], places[ratings[rows] <= DISLIKED]
    if not loved.size or not disliked.size:
        return None
    return float((loved[:, None] < disliked).mean())


def coverage_at_k(recommended: Sequence[I64], n_items: int, k: int) -> float:
    """Share of the vocabulary that is in the first k of at least one reader."""
    shown = np.unique(np.concatenate([books[:k] for books in recommended]))
    return float(shown.size / n_items)
