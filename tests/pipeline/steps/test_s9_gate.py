import numpy as np
import pytest

from pipeline.current import Current
from pipeline.settings import GateParams
from pipeline.steps.s9_gate import Measured, judge

RNG = np.random.default_rng(5)
N = 400
POPULARITY = RNG.random(N) * 0.1
GOOD = POPULARITY + 0.1 + RNG.normal(0, 0.02, N)
NOBODY = np.zeros(N)


def failed(**changes: object) -> list[str]:
    facts = {
        "candidate": GOOD,
        "popularity": POPULARITY,
        "own_gains": RNG.normal(0.2, 0.1, N),
        "current": Current("20260101T000000Z-abcdef", None, "as it was sealed"),
        "gain_over_current": NOBODY,
        "ann_recall": {"als": 0.99},
    }
    measured = Measured(**{**facts, **changes})  # type: ignore[arg-type]
    verdict = judge(measured, params=GateParams(), seed=1, accept_incomparable=False)
    names = [check.name for check in verdict.checks if check.failed]
    assert verdict.passed == (not names)
    return names


def test_a_candidate_better_than_all_it_must_beat_passes() -> None:
    assert failed() == []


def test_the_first_version_ever_has_no_current_one_to_beat() -> None:
    first = Current(None, None, "no version is current")

    assert failed(current=first, gain_over_current=None) == []


def test_a_current_version_that_cannot_be_compared_with_is_a_check_that_fails() -> None:
    assert failed(gain_over_current=None) == ["comparable_with_current"]


def test_popularity_itself_does_not_pass() -> None:
    assert failed(candidate=POPULARITY) == ["recall_over_popularity"]


def test_a_candidate_must_beat_popularity_by_the_margin() -> None:
    assert failed(candidate=1.05 * POPULARITY) == ["recall_over_popularity"]


@pytest.mark.parametrize("own_gains", [RNG.normal(0, 0.1, N), NOBODY, NOBODY[:1]])
def test_learning_that_knows_no_reader_from_another_is_refused(own_gains: np.ndarray) -> None:
    assert failed(own_gains=own_gains) == ["learned_evidence"]


@pytest.mark.parametrize(("loss", "names"), [(0.001, []), (0.004, []), (0.006, ["recall_over_current"])])
def test_a_candidate_may_lose_less_than_delta_to_the_current_version(loss: float, names: list[str]) -> None:
    assert failed(gain_over_current=np.full(N, -loss)) == names


def test_a_loss_that_may_be_large_is_refused_even_if_its_mean_is_small() -> None:
    noisy = np.where(np.arange(N) % 2, 0.5, -0.5)

    assert failed(gain_over_current=noisy) == ["recall_over_current"]


def test_an_index_that_misses_neighbours_is_refused_by_name() -> None:
    assert failed(ann_recall={"als": 0.99, "text": 0.5}) == ["ann_recall_text"]
