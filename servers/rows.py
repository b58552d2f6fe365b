"""Finds ids in the ascending ids that name the rows of an array: the models' look-up of books."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]


def find_rows(ids: I64, wanted: Sequence[int] | I64) -> tuple[NDArray[np.bool_], I64]:
    """Which of the wanted are among ascending ids, and the rows of those that are, in the order wanted."""
    wanted = np.asarray(wanted, dtype=np.int64)
    if not ids.size:
        return np.zeros(wanted.size, dtype=bool), np.empty(0, dtype=np.int64)
    rows = np.minimum(np.searchsorted(ids, wanted), ids.size - 1)
    is_known = ids[rows] == wanted
    return is_known, rows[is_known]
