import numpy as np

from servers.rows import find_rows


def test_ids_are_found_by_row_and_unknown_ones_are_told() -> None:
    is_known, rows = find_rows(np.array([10, 40, 70]), [70, 5, 10, 99])

    assert is_known.tolist() == [True, False, True, False]
    assert rows.tolist() == [2, 0]


def test_no_ids_know_nothing() -> None:
    is_known, rows = find_rows(np.empty(0, dtype=np.int64), np.array([1, 2]))

    assert not is_known.any() and rows.size == 0
