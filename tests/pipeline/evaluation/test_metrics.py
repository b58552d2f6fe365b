import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluation.metrics import (
    auc_of_loved,
    coverage_at_k,
    ndcg_at_k,
    recall_at_k,
)

BOOKS = st.lists(st.integers(0, 30), unique=True, max_size=15)
READERS = st.lists(st.tuples(BOOKS, BOOKS.filter(bool)), min_size=1, max_size=6)


@given(READERS, st.integers(1, 12))
def test_recall_counts_hits_over_the_most_there_can_be(
    readers: list[tuple[list[int], list[int]]], k: int
) -> None:
    shown, truth = (
        [np.array(books, dtype=np.int64) for books in part] for part in zip(*readers, strict=True)
    )

    recall = recall_at_k(shown, truth, k)

    slow = [len(set(books[:k]) & set(held_out)) / min(k, len(held_out)) for books, held_out in readers]
    np.testing.assert_allclose(recall, slow)


@given(READERS, st.integers(1, 12))
def test_ndcg_discounts_by_place_and_compares_with_the_ideal_list(
    readers: list[tuple[list[int], list[int]]], k: int
) -> None:
    shown, truth = (
        [np.array(books, dtype=np.int64) for books in part] for part in zip(*readers, strict=True)
    )

    ndcg = ndcg_at_k(shown, truth, k)

    for value, (books, held_out) in zip(ndcg, readers, strict=True):
        gain = sum(1 / math.log2(place + 1) for place, book in enumerate(books[:k], 1) if book in held_out)
        ideal = sum(1 / math.log2(place + 1) for place in range(1, min(k, len(held_out)) + 1))
        assert math.isclose(value, gain / ideal, abs_tol=1e-12)


def test_coverage_is_the_share_of_books_that_anybody_sees() -> None:
    shown = [np.array([1, 2, 3]), np.array([2, 3, 4])]

    assert coverage_at_k(shown, n_items=8, k=2) == 3 / 8


@given(
    st.permutations(range(12)), st.lists(st.sampled_from([1.0, 5.0, 6.0, 8.0, 10.0, math.nan]), max_size=14)
)
def test_the_auc_is_the_share_of_pairs_in_their_right_order(ranked: list[int], ratings: list[float]) -> None:
    held_out = np.arange(len(ratings))  # books 12 and 13 are not ranked

    auc = auc_of_loved(np.array(ranked), held_out, np.array(ratings, dtype=np.float32))

    known = [(ranked.index(book), rating) for book, rating in enumerate(ratings) if book in ranked]
    pairs = [loved < hated for loved, high in known for hated, low in known if high >= 8 and low <= 5]
    assert auc == (pytest.approx(np.mean(pairs)) if pairs else None)
