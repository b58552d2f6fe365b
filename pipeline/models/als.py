"""Trains what the als server ranks by: factors by `implicit`, and BM25 item neighbours."""

import numpy as np
from implicit.als import AlternatingLeastSquares
from scipy.sparse import csr_array, csr_matrix
from threadpoolctl import threadpool_limits

from pipeline.interactions import F32, F64
from pipeline.models.neighbours import strongest_in_rows
from pipeline.progress import Advance
from pipeline.settings import AlsParams


def train_factors(
    user_items: csr_array, *, params: AlsParams, seed: int, threads: int, advance: Advance
) -> tuple[F32, F32]:
    """User and item factors, (n, n_factors), of implicit-feedback ALS: confidence alpha for a book read."""
    # `implicit` runs its own threads; BLAS threads below them slow it down and reorder its sums.
    with threadpool_limits(limits=1, user_api="blas"):
        model = AlternatingLeastSquares(
            factors=params.n_factors,
            alpha=params.alpha,
            regularization=params.regularization,
            iterations=params.n_iterations,
            random_state=seed,
            num_threads=threads,
        )
        model.fit(
            csr_matrix(user_items),
            show_progress=False,
            callback=lambda done, *_: advance((done + 1) / params.n_iterations),
        )
    return np.asarray(model.user_factors), np.asarray(model.item_factors)


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
