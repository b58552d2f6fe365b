"""Item-item weights: which books speak for which others, from who read both."""

import numpy as np
from scipy.sparse import csr_array

from pipeline.interactions import F64, I64, Mask

ROWS_PER_BLOCK = 512
"""Bounds memory: one block of the full product is held at a time, and a heavy reader makes that dense."""


def strongest_in_rows(left: csr_array, right: csr_array, k: int) -> csr_array:
    """left @ right without its diagonal; of each row the k largest positive values, ties by column."""
    blocks = []
    for first in range(0, left.shape[0], ROWS_PER_BLOCK):
        block = (left[first : first + ROWS_PER_BLOCK] @ right).tocsr()
        block.sort_indices()
        rows = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr))
        is_kept = _is_among_largest(rows, block.indices == rows + first, block.data, k)
        blocks.append((rows[is_kept] + first, block.indices[is_kept], block.data[is_kept]))
    row_idx, column_idx, values = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    shape = (left.shape[0], right.shape[1])
    return csr_array((values.astype(np.float32), (row_idx, column_idx)), shape=shape)


def _is_among_largest(rows: I64, is_diagonal: Mask, values: F64, k: int) -> Mask:
    weighed = np.where(is_diagonal, -np.inf, values)
    order = np.lexsort((-weighed, rows))
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows))])
    place = np.empty(rows.size, dtype=np.int64)
    place[order] = np.arange(rows.size) - starts[rows[order]]
    return (place < k) & (weighed > 0)
