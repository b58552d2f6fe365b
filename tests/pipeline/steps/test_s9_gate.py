from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from artifacts.manifest import GateCheck
from pipeline.current import Current
from pipeline.judging.figures import Figures
from pipeline.settings import GateParams
from pipeline.steps.s9_gate import Measured, judge

RNG = np.random.default_rng(5)
N = 900
DELTA = GateParams().max_loss
POPULARITY = RNG.random(N) * 0.1
LISTS = list(RNG.integers(0, 900, (N, 30)))
GOOD = Figures(
    recall=POPULARITY + 0.1 + RNG.normal(0, 0.02, N),
    ndcg=RNG.random(N),
    cold_recall=RNG.random(N) * 0.1,
    tail_recall=np.where(RNG.random(N) < 0.8, RNG.random(N), np.nan),
    lists=LISTS,
)
FEW = np.arange(N) < 299
SLICES = {"history_1_4": np.arange(N) >= 600, "history_5_9": np.arange(N) < 600}
NOBODY = np.zeros(N)
HONEST = Measured(
    candidate=GOOD,
    popularity=POPULARITY,
    slices=SLICES,
    own_gains=RNG.normal(0.2, 0.1, N),
    current=Current("20260101T000000Z-abcdef", None, "as it was sealed"),
    is_common=np.ones(N, dtype=bool),
    rival=GOOD,
    speed_ms=(3.1, 3.0),
)


def judged(**changes: object) -> Mapping[str, GateCheck]:
    measured = replace(HONEST, **changes)  # type: ignore[arg-type]
    checks = judge(measured, params=GateParams(), seed=1, accept_incomparable=False)
    return {check.name: check for check in checks}


def failed(**changes: object) -> list[str]:
    return [name for name, check in judged(**changes).items() if check.failed]


def losing(loss: float, figure: str = "recall", among: np.ndarray | slice = slice(None)) -> Figures:
    """A candidate that is so much worse than the rival for some readers."""
    values = getattr(GOOD, figure).copy()
    values[among] -= loss
    return replace(GOOD, **{figure: values})


def test_a_candidate_better_than_all_it_must_beat_passes() -> None:
    assert failed() == []


def test_the_first_version_ever_has_no_current_one_to_beat() -> None:
    first = Current(None, None, "no version is current")

    assert failed(current=first, rival=None, speed_ms=None) == []


def test_a_current_version_that_cannot_be_compared_with_is_a_check_that_fails() -> None:
    assert failed(rival=None, speed_ms=None) == ["comparable_with_current"]


def test_popularity_itself_does_not_pass() -> None:
    popular = replace(GOOD, recall=POPULARITY)

    refused = failed(candidate=popular, rival=popular)

    assert refused == ["recall_over_popularity", *(f"recall_over_popularity_{name}" for name in SLICES)]


def test_a_candidate_must_beat_popularity_by_the_margin() -> None:
    assert "recall_over_popularity" in failed(candidate=replace(GOOD, recall=1.05 * POPULARITY))


@pytest.mark.parametrize("own_gains", [RNG.normal(0, 0.1, N), NOBODY, NOBODY[:1]])
def test_learning_that_knows_no_reader_from_another_is_refused(own_gains: np.ndarray) -> None:
    assert failed(own_gains=own_gains) == ["learned_evidence"]


@pytest.mark.parametrize("figure", ["recall", "ndcg", "cold_recall", "tail_recall"])
def test_a_candidate_may_lose_less_than_delta_to_the_current_version(figure: str) -> None:
    assert failed(candidate=losing(0.9 * DELTA, figure)) == []
    assert f"{figure}_over_current" in failed(candidate=losing(1.3 * DELTA, figure))


def test_what_is_chance_refuses_nothing_and_hides_no_large_loss() -> None:
    noise = RNG.normal(0, 0.1, N)
    noise -= noise.mean()

    equal, worse = (replace(GOOD, ndcg=GOOD.ndcg + noise - loss) for loss in (0, 0.03))

    assert failed(candidate=equal) == []
    assert failed(candidate=worse) == ["ndcg_over_current"]


def test_what_some_readers_lose_is_not_made_up_for_by_what_others_gain() -> None:
    uneven = losing(0.04, among=SLICES["history_1_4"])
    uneven.recall[SLICES["history_5_9"]] += 0.04

    assert failed(candidate=uneven) == ["recall_over_current_history_1_4"]


def test_of_fewer_readers_more_is_chance() -> None:
    noisy = replace(GOOD, recall=GOOD.recall + np.tile([0.1, -0.1], N // 2))

    checks = judged(candidate=noisy)

    assert checks["ndcg_over_current"].threshold == -DELTA
    assert checks["recall_over_current"].threshold == pytest.approx(-6 * 0.1 / N**0.5, rel=0.01)
    assert checks["recall_over_current_history_1_4"].threshold == pytest.approx(-6 * 0.1 / 300**0.5, rel=0.01)


def test_slices_of_fewer_than_300_readers_are_reported_and_not_judged() -> None:
    checks = judged(candidate=losing(0.1, among=FEW), slices={"few": FEW})

    check = checks["recall_over_current_few"]
    assert check.skipped and not check.failed and check.n_readers == 299
    assert check.mean == pytest.approx(-0.1) and "not judged, since they are fewer than 300" in check.detail


def test_a_check_tells_all_its_figures() -> None:
    check = judged(candidate=losing(0.002))["recall_over_current"]

    assert check.mean == pytest.approx(-0.002) and check.n_readers == N
    assert check.interval is not None and check.value == check.interval[0] <= check.mean <= check.interval[1]


def test_only_readers_whose_held_out_books_neither_has_seen_are_compared() -> None:
    common = np.arange(N) < 400

    checks = judged(is_common=common, rival=GOOD.take(common), candidate=losing(0.3, among=~common))

    assert checks["recall_over_current"].passed and checks["recall_over_current"].n_readers == 400
    assert checks["recall_over_current_history_1_4"].value is None
    assert checks["recall_over_popularity"].n_readers == N


def test_lists_that_are_all_alike_are_refused() -> None:
    same = replace(GOOD, lists=[np.arange(300)] * N)

    check = judged(candidate=same)["coverage_over_current"]

    assert check.failed and check.value == pytest.approx(300 / 900)


@pytest.mark.parametrize(
    ("candidate_ms", "rival_ms", "passes"),
    [(3.0, 3.0, True), (1.9, 0.1, True), (7.9, 3.0, True), (8.1, 3.0, False), (30, 10, False)],
)
def test_half_the_speed_is_refused_unless_nobody_feels_it(
    candidate_ms: float, rival_ms: float, passes: bool
) -> None:
    assert ("speed_over_current" in failed(speed_ms=(candidate_ms, rival_ms))) != passes
