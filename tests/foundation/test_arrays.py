import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from foundation.arrays import (
    expand_ranges,
    find_rows,
    find_starts,
    pack_pairs,
    rank_in_group,
    top_k,
    unpack_pairs,
)


def test_ids_are_found_by_row_and_unknown_ones_are_told() -> None:
    is_known, rows = find_rows(np.array([10, 40, 70]), [70, 5, 10, 99])

    assert is_known.tolist() == [True, False, True, False]
    assert rows.tolist() == [2, 0]


def test_no_ids_know_nothing() -> None:
    is_known, rows = find_rows(np.empty(0, dtype=np.int64), np.array([1, 2]))

    assert not is_known.any() and rows.size == 0


@given(values=st.lists(st.sampled_from([-np.inf, 0.0, 0.5, 1.0]), max_size=30), k=st.integers(0, 40))
def test_top_k_is_that_of_a_stable_sort(values: list[float], k: int) -> None:
    scores = np.array(values, dtype=np.float32)

    expected = [at for at in np.argsort(-scores, kind="stable").tolist() if scores[at] > -np.inf][:k]
    assert top_k(scores, k).tolist() == expected


def test_ranges_are_expanded_one_after_the_other() -> None:
    assert expand_ranges(np.array([5, 0, 9]), np.array([2, 0, 3])).tolist() == [5, 6, 9, 10, 11]


def test_places_count_from_zero_in_each_group() -> None:
    assert rank_in_group(np.array([0, 0, 2, 2, 2])).tolist() == [0, 1, 0, 1, 2]
    assert find_starts(np.array([0, 0, 2, 2, 2]), 4).tolist() == [0, 2, 2, 5, 5]


@given(st.lists(st.tuples(st.integers(-1, 2**31 - 1), st.integers(0, 2**32 - 1)), max_size=20))
def test_packed_pairs_sort_as_pairs_do_and_come_apart_again(pairs: list[tuple[int, int]]) -> None:
    left, right = np.array(pairs, dtype=np.int64).reshape(-1, 2).T

    packed = np.sort(pack_pairs(left, right))

    assert np.stack(unpack_pairs(packed), axis=1).tolist() == sorted(map(list, pairs))
