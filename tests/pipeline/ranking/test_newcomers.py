import numpy as np
from scipy.sparse import csr_array

from pipeline.ranking.newcomers import TOLD_TOGETHER, learn_effects

RNG = np.random.default_rng(4)
SORTS = np.array([0, 0, 0, 1, 1, 2, 3])
TOLD = RNG.random((40, SORTS.size)) * (RNG.random((40, SORTS.size)) < 0.5)
FACTORS = RNG.normal(size=(40, 3))


def test_effects_are_those_of_readers_who_tell_all_or_a_part() -> None:
    told, factors = TOLD - TOLD.mean(axis=0), FACTORS - FACTORS.mean(axis=0)
    is_told = {"all": SORTS >= 0, "subjects": SORTS != 1, "authors": SORTS != 0, "traits": SORTS >= 2}
    counts = {"all": 1.0, "subjects": 0.5, "authors": 0.5, "traits": 0.2}
    rows = np.vstack([np.sqrt(counts[name]) * told * shown for name, shown in is_told.items()])
    targets = np.vstack([np.sqrt(counts[name]) * factors for name in is_told])

    effects = learn_effects(csr_array(TOLD), FACTORS.astype(np.float32), SORTS, regularization=2.0)

    expected = np.linalg.solve(rows.T @ rows + 2.0 * np.eye(SORTS.size), rows.T @ targets)
    np.testing.assert_allclose(effects, expected, rtol=1e-4, atol=1e-5)
    assert (TOLD_TOGETHER == TOLD_TOGETHER.T).all()


def test_nothing_is_learned_from_nobody() -> None:
    effects = learn_effects(csr_array((0, 2)), np.empty((0, 3), np.float32), SORTS[:2], regularization=1.0)

    assert not effects.any() and effects.shape == (2, 3)
