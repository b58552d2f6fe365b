from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from evidence.als import AlsParams, build_gram, fold_in, fold_in_few, measure_repeated, train_factors
from foundation.tools import Tools

PARAMS = AlsParams(n_factors=8, n_iterations=5)
TOOLS = Tools(threads=1, advance=lambda share: None, workspace=Path())
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
    gram = build_gram(FACTORS, 0.1)
    found = fold_in(FACTORS, gram, item_idx, both, alpha=ALPHA)
    by_inverse = fold_in_few(FACTORS, np.linalg.inv(gram), item_idx, both, alpha=ALPHA)

    y = FACTORS.astype(np.float64)
    expected = np.linalg.solve(
        (y.T * confidence) @ y + 0.1 * np.eye(N_FACTORS), (y.T * confidence) @ preference
    )
    np.testing.assert_allclose(found, [expected, -expected], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(by_inverse, [expected, -expected], rtol=1e-3, atol=1e-4)


def draw_tastes(rng: np.random.Generator) -> csr_array:
    """Readers of mixed tastes, (300, 200)."""
    likes = rng.dirichlet(np.full(6, 0.15), 300) @ rng.dirichlet(np.full(200, 0.5), 6)
    return csr_array((rng.random((300, 200)) < 14 * likes).astype(np.float32))


READ = draw_tastes(np.random.default_rng(5))
SETTINGS = (
    AlsParams(n_factors=16, n_iterations=3),
    AlsParams(n_factors=16, n_iterations=15, regularization=0.1),
    AlsParams(n_factors=64, n_iterations=30, regularization=10),
)


def train(params: AlsParams, n_iterations: int) -> np.ndarray:
    stopped = params.model_copy(update={"n_iterations": n_iterations})
    return train_factors(READ, params=stopped, seed=4, threads=1, advance=TOOLS.advance)[1]


def measure(item_factors: np.ndarray, params: AlsParams) -> float:
    return measure_repeated(item_factors, READ, params=params, seed=4, tools=TOOLS)


@pytest.mark.parametrize("params", SETTINGS)
def test_a_whole_training_is_repeated_whatever_its_parameters(params: AlsParams) -> None:
    assert measure(train(params, params.n_iterations), params) == 1


@pytest.mark.parametrize("params", SETTINGS)
@pytest.mark.parametrize("share", [0, 0.25, 0.5])
def test_one_that_broke_off_is_not(params: AlsParams, share: float) -> None:
    assert measure(train(params, max(1, int(share * params.n_iterations))), params) < 0.3


@pytest.mark.parametrize("params", SETTINGS)
@pytest.mark.parametrize("lost", [0.05, 0.5])
def test_nor_are_factors_of_which_some_are_as_drawn(params: AlsParams, lost: float) -> None:
    rng, factors = np.random.default_rng(6), train(params, params.n_iterations)
    drawn = 0.01 * rng.random(factors.shape, dtype=np.float32)
    is_lost = np.arange(len(factors)) < lost * len(factors)

    assert measure(np.where(is_lost[:, None], drawn, factors), params) == pytest.approx(1 - lost)
