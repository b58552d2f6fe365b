import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from evidence.als import AlsParams, build_gram, fold_in, measure_settled, train_factors

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


def draw_tastes(rng: np.random.Generator) -> csr_array:
    """Readers of mixed tastes, (300, 200)."""
    likes = rng.dirichlet(np.full(6, 0.15), 300) @ rng.dirichlet(np.full(200, 0.5), 6)
    return csr_array((rng.random((300, 200)) < 14 * likes).astype(np.float32))


READ = draw_tastes(np.random.default_rng(5))
WHOLE = AlsParams(n_factors=16, n_iterations=15, regularization=10)
SETTLED = train_factors(READ, params=WHOLE, seed=4, threads=1, advance=lambda share: None)[1]


def measure(item_factors: np.ndarray) -> float:
    return measure_settled(item_factors.astype(np.float32), READ, params=WHOLE, threads=1)


def test_factors_of_a_whole_training_are_settled() -> None:
    assert measure(SETTLED) > 0.95


def test_factors_after_one_iteration_are_not() -> None:
    broken_off = WHOLE.model_copy(update={"n_iterations": 1})

    _, factors = train_factors(READ, params=broken_off, seed=4, threads=1, advance=lambda share: None)

    assert measure(factors) < 0.5


def test_factors_half_of_which_are_as_drawn_are_not() -> None:
    rng = np.random.default_rng(6)
    drawn = 0.01 * rng.random(SETTLED.shape)

    assert 0.4 < measure(np.where(rng.random((200, 1)) < 0.5, drawn, SETTLED)) < 0.6
