"""The one definition of every quality figure of lists."""

from collections.abc import Sequence

import numpy as np

from foundation.arrays import F32, F64, I64, Mask, find_rows

NDCG_K = 10
"""Places that the NDCG of every report looks at."""
LOVED, DISLIKED = 8.0, 5.0
"""Who rates a book so high or higher loves it; who rates it so low or lower should not have been shown it."""


def recall_at_k(recommended: Sequence[I64], held_out: Sequence[I64], k: int) -> F64:
    """(n_users,): books of each reader's first k that they held out, over min(k, number held out).

    The held-out list counts in full, also books that no model could know; none of the lists is empty.
    """
    return recall_of_hits(find_hits(recommended, held_out, k), count_books(held_out), k)


def ndcg_at_k(recommended: Sequence[I64], held_out: Sequence[I64], k: int) -> F64:
    """(n_users,): discounted gain Σ 1 / log2(place + 1) of the held-out books over that of an ideal list.

    Relevance is binary, places count from 1, and the ideal list has min(k, number held out) hits at its top.
    """
    return ndcg_of_hits(find_hits(recommended, held_out, k), count_books(held_out), k)


def find_hits(recommended: Sequence[I64], held_out: Sequence[I64], k: int) -> Mask:
    """(n_users, k): which of each reader's first k books they held out; a shorter list hits no more."""
    is_hit = np.zeros((len(held_out), k), dtype=bool)
    for at, (books, truth) in enumerate(zip(recommended, held_out, strict=True)):
        is_hit[at, : books[:k].size] = np.isin(books[:k], truth)
    return is_hit


def count_books(lists: Sequence[I64]) -> I64:
    """(n_users,): how many books each reader's list has."""
    return np.array([books.size for books in lists], dtype=np.int64)


# Of lists whose hits are known, (n_users, at least k), and how many books each reader held out, (n_users,).


def recall_of_hits(is_hit: Mask, n_held_out: I64, k: int) -> F64:
    """(n_users,): hits over min(k, number held out)."""
    return np.asarray(is_hit[:, :k].sum(axis=1) / np.minimum(k, n_held_out))


def plain_recall_of_hits(is_hit: Mask, n_held_out: I64, k: int) -> F64:
    """(n_users,): hits over the number held out, which k places may not hold."""
    return np.asarray(is_hit[:, :k].sum(axis=1) / n_held_out)


def precision_of_hits(is_hit: Mask, n_held_out: I64, k: int) -> F64:
    """(n_users,): hits over k."""
    return np.asarray(np.count_nonzero(is_hit[:, :k], axis=1) / k)


def hit_rate_of_hits(is_hit: Mask, n_held_out: I64, k: int) -> F64:
    """(n_users,): 1 where there is a hit."""
    return np.asarray(is_hit[:, :k].any(axis=1), dtype=np.float64)


def average_precision_of_hits(is_hit: Mask, n_held_out: I64, k: int) -> F64:
    """(n_users,): precision at the place of each hit, summed, over min(k, number held out)."""
    places = np.arange(1, k + 1)
    precision = np.cumsum(is_hit[:, :k], axis=1) / places
    return np.asarray((precision * is_hit[:, :k]).sum(axis=1) / np.minimum(k, n_held_out))


def ndcg_of_hits(is_hit: Mask, n_held_out: I64, k: int) -> F64:
    """(n_users,): as `ndcg_at_k`."""
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


def novelty_at_k(recommended: Sequence[I64], book_ids: I64, shares: F64, k: int) -> F64:
    """(n_users,): mean −log2 of the share of readers who have read each book of a reader's first k.

    shares are (n,), of book_ids, above 0; the list of a reader who was shown nothing counts 0.
    """
    told = -np.log2(shares)
    means = [told[find_rows(book_ids, books[:k])[1]].mean() if books.size else 0.0 for books in recommended]
    return np.array(means)
