"""Products of sparse matrices that would not fit whole, and fast look-ups of rows."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from foundation.arrays import F32, F64, I64, Mask, expand_ranges

ROWS_PER_BLOCK: Final = 512
"""Bounds memory: one block of the full product is held at a time, and a heavy reader makes that dense."""
FEW_ROWS: Final = 64
"""Of so many the ranges are copied one by one, which takes fewer steps."""


class Entries(NamedTuple):
    """Entries of some rows of a matrix: places in the list of rows, columns, values."""

    rows: I64
    columns: I64
    values: F32


def gather_rows(matrix: csr_array, rows: I64) -> Entries:
    """The entries of these rows, one row after the other; SciPy's own indexing costs ten times that."""
    starts, ends = matrix.indptr[rows], matrix.indptr[rows + 1]
    places = np.repeat(np.arange(rows.size), ends - starts)
    if 0 < rows.size <= FEW_ROWS:
        ranges = [slice(start, end) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        columns, values = (
            np.concatenate([each[at] for at in ranges]) for each in (matrix.indices, matrix.data)
        )
        return Entries(places, columns, values)
    positions = expand_ranges(starts.astype(np.int64), (ends - starts).astype(np.int64))
    return Entries(places, matrix.indices.take(positions), matrix.data.take(positions))


def spread_rows(matrix: csr_array, rows: I64, n: int) -> csr_array:
    """(n, n_columns): the matrix's rows in these ascending places, empty rows in all others."""
    lengths = np.zeros(n, dtype=np.int64)
    lengths[rows] = np.diff(matrix.indptr)
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(matrix.indptr.dtype)
    return csr_array((matrix.data, matrix.indices, indptr), shape=(n, matrix.shape[1]), copy=False)


def strongest_in_rows(
    left: csr_array, right: csr_array, k: int, *, weigh: Callable[[I64, I64, F64], F64] | None = None
) -> csr_array:
    """left @ right without its diagonal; of each row the k largest positive values, ties by column.

    With `weigh` the values are what it makes of rows, columns and values.
    """
    blocks = []
    for first in range(0, left.shape[0], ROWS_PER_BLOCK):
        block = (left[first : first + ROWS_PER_BLOCK] @ right).tocsr()
        rows = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr))
        if weigh is not None:
            block.data = weigh(rows + first, block.indices, block.data)
        block.data[block.indices == rows + first] = 0
        kept = _find_largest(block, k)
        blocks.append((rows[kept] + first, block.indices[kept], block.data[kept]))
    row_idx, column_idx, values = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    shape = (left.shape[0], right.shape[1])
    strongest = csr_array((values.astype(np.float32), (row_idx, column_idx)), shape=shape)
    strongest.sort_indices()
    return strongest


def _find_largest(matrix: csr_array, k: int) -> I64:
    """Positions of the k largest positive values of each row, ties by column."""
    is_kept = matrix.data > 0
    for row in np.flatnonzero(np.diff(matrix.indptr) > k).tolist():
        of_row = slice(*matrix.indptr[row : row + 2].tolist())
        is_kept[of_row] &= _are_largest(matrix.indices[of_row], matrix.data[of_row], k)
    return np.flatnonzero(is_kept)


def _are_largest(columns: I64, values: F64, k: int) -> Mask:
    # Sorting all values would take ten times as long.
    least = np.partition(values, values.size - k)[values.size - k]
    are_largest = np.asarray(values >= least)
    if n_too_many := int(are_largest.sum()) - k:
        ties = np.flatnonzero(values == least)
        are_largest[ties[np.argsort(-columns[ties])[:n_too_many]]] = False
    return are_largest
