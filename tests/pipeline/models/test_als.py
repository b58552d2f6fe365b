import numpy as np
import pytest
from scipy.sparse import csr_array

from pipeline.models.als import train_factors
from pipeline.settings import AlsParams

PARAMS = AlsParams(n_factors=8, n_iterations=5)
USER_ITEMS = csr_array((np.random.default_rng(2).random((40, 25)) < 0.25).astype(np.float32))


def test_the_same_seed_gives_the_same_factors_whatever_the_threads() -> None:
    def train(threads: int) -> np.ndarray:
        return train_factors(USER_ITEMS, params=PARAMS, seed=4, threads=threads, advance=lambda share: None)[
            1
        ]

    np.testing.assert_array_equal(train(1), train(2))


def test_progress_ends_at_one() -> None:
    shares: list[float] = []

    train_factors(USER_ITEMS, params=PARAMS, seed=4, threads=1, advance=shares.append)

    assert shares == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
