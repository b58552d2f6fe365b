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
