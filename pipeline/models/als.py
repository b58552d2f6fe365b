"""Trains user and item factors by `implicit`."""

import numpy as np
from implicit.als import AlternatingLeastSquares
from scipy.sparse import csr_array, csr_matrix
from threadpoolctl import threadpool_limits

from foundation.arrays import F32
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
