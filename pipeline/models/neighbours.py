"""Item-item weights: which books speak for which others, from who read both; by BM25, or by count."""

import numpy as np
from scipy.sparse import csr_array

from foundation.arrays import F64, I64, Mask, rank_in_group
from pipeline.settings import AlsParams

ROWS_PER_BLOCK = 512
"""Bounds memory: one block of the full product is held at a time, and a heavy reader makes that dense."""


def build_neighbours(user_items: csr_array, *, params: AlsParams) -> csr_array:
    """(n_items, n_items): N[h, j] = <w_h, w_j> / norm_h^exponent for the n_neighbours best h of each j.

    w are BM25 weights; rows are books of a history, columns the books that they speak for.
    """
    weights = weigh_bm25(user_items, k1=params.bm25_k1, b=params.bm25_b)
    norms = np.sqrt(np.asarray(weights.multiply(weights).sum(axis=1)).ravel())
    # A book with one reader has a tiny norm; without the floor such books would speak loudest.
    damped = (norms + norms.mean() / 2) ** -params.source_exponent
    scaled = csr_array(weights.multiply(damped[:, None]))
    by_target = strongest_in_rows(weights, scaled.T.tocsr(), params.n_neighbours)
    return csr_array(by_target.T.tocsr())


def weigh_bm25(user_items: csr_array, *, k1: float, b: float) -> csr_array:
    """(n_items, n_users): w = (k1 + 1) / (k1 · (1 − b + b · readers / mean) + 1) · idf of the user.

    Robertson & Zaragoza 2009, with books as documents and their readers as terms: idf is ln(n_items / (1 +
    books of the user)), at least 0, so that whoever reads everything says nothing.
    """
    item_users = user_items.T.tocsr().astype(np.float64)
    n_items = item_users.shape[0]
    n_readers = np.diff(item_users.indptr)
    idf: F64 = np.maximum(0.0, np.log(n_items) - np.log1p(np.diff(user_items.indptr)))
    saturation = (k1 + 1) / (k1 * ((1 - b) + b * n_readers / n_readers.mean()) + 1)
    item_users.data = np.repeat(saturation, n_readers) * idf[item_users.indices]
    return item_users


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
    place = np.empty(rows.size, dtype=np.int64)
    place[order] = rank_in_group(rows[order])
    return (place < k) & (weighed > 0)
