import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from evidence.als import AlsParams, build_gram, fold_in, train_factors

PARAMS = AlsParams(n_factors=8, n_iterations=5)
USER_ITEMS = csr_array((np.random.default_rng(2).random((40, 25)) < 0.25).astype(np.float32))
N, N_FACTORS, ALPHA = 30, 8, 16.0
FACTORS = np.random.default_rng(7).normal(size=(N, N_FACTORS)).astype(np.float32)


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


@given(history=st.dictionaries(st.integers(0, N - 1), st.floats(-1, 1.4), min_size=1, max_size=10))
def test_fold_in_solves_the_published_equation(history: dict[int, float]) -> None:
    item_idx = np.array(sorted(history))
    confidence, preference = np.ones(N), np.zeros(N)
    confidence[item_idx], preference[item_idx] = ALPHA, [history[item] for item in sorted(history)]

    both = np.stack([preference[item_idx], -preference[item_idx]]).astype(np.float32)
    found = fold_in(FACTORS, build_gram(FACTORS, 0.1), item_idx, both, alpha=ALPHA)

    y = FACTORS.astype(np.float64)
    expected = np.linalg.solve(
        (y.T * confidence) @ y + 0.1 * np.eye(N_FACTORS), (y.T * confidence) @ preference
    )
    np.testing.assert_allclose(found, [expected, -expected], rtol=1e-3, atol=1e-4)
