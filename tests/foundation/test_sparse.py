import numpy as np
import pytest
from scipy.sparse import csr_array

from foundation import sparse
from foundation.sparse import gather_rows, strongest_in_rows

USER_ITEMS = csr_array((np.random.default_rng(2).random((40, 25)) < 0.25).astype(np.float32))


def test_gathered_rows_are_the_entries_of_the_matrix() -> None:
    matrix = csr_array(np.array([[0, 1, 2], [0, 0, 0], [3, 0, 4]], dtype=np.float32))

    entries = gather_rows(matrix, np.array([2, 1, 0]))

    assert entries.rows.tolist() == [0, 0, 2, 2]
    assert entries.columns.tolist() == [0, 2, 1, 2]
    assert entries.values.tolist() == [3, 4, 1, 2]


def test_blocks_do_not_change_the_strongest(monkeypatch: pytest.MonkeyPatch) -> None:
    item_users = USER_ITEMS.T.tocsr()
    whole = strongest_in_rows(item_users, USER_ITEMS, 3).toarray()

    monkeypatch.setattr(sparse, "ROWS_PER_BLOCK", 7)

    np.testing.assert_array_equal(strongest_in_rows(item_users, USER_ITEMS, 3).toarray(), whole)


@pytest.mark.parametrize("k", [1, 3, 10, 30])
def test_of_each_row_the_largest_are_kept_and_of_equal_ones_those_of_the_first_columns(k: int) -> None:
    product = (USER_ITEMS.T @ USER_ITEMS).toarray()  # of small counts, so that many are equal
    np.fill_diagonal(product, 0)
    expected = np.zeros_like(product)
    for row, values in enumerate(product):
        largest = np.argsort(-values, kind="stable")[:k]
        expected[row, largest] = values[largest]

    strongest = strongest_in_rows(USER_ITEMS.T.tocsr(), USER_ITEMS, k)

    np.testing.assert_array_equal(strongest.toarray(), expected)
    assert strongest.has_sorted_indices
    assert (strongest.data > 0).all()
