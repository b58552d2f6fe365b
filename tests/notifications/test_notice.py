"""Each notification says what happened, by how much, and what to do."""

from datetime import UTC, datetime
from typing import Any

from artifacts.manifest import GateCheck, GateVerdict, Manifest
from notifications.notice import (
    describe_failure,
    describe_promotion,
    describe_refusal,
    describe_rollback,
)

VERSION, FORMER = "20261121T030000Z-aaaaaa", "20261120T030000Z-bbbbbb"
SHORT = GateCheck(
    name="recall_over_current", value=-0.0312, threshold=-0.005, passed=False, detail="over 300 readers"
)
NOT_MADE = GateCheck(name="comparable", value=None, threshold=None, passed=False, detail="it is damaged")
METRICS: dict[str, Any] = {
    "recall@30": {"mean": 0.1234, "low": 0.1, "high": 0.14},
    "recall_gain_over_current@30": {"mean": 0.0021, "low": -0.001, "high": 0.005},
    "n_readers": 300,
}


def manifest(*checks: GateCheck) -> Manifest:
    return Manifest(
        schema_number=1, version=VERSION, created_at=datetime.now(UTC), parent=FORMER, split_id="s",
        data_fingerprint="f", code_revision="c", params={}, seed=1, metrics=METRICS,
        gate=GateVerdict.of(*checks), objects=(),
    )  # fmt: skip


def test_of_a_refusal_it_says_which_check_by_how_much_and_what_to_do() -> None:
    notice = describe_refusal(manifest(SHORT, NOT_MADE), FORMER)

    assert notice.subject == f"the gate refused {VERSION}: recall_over_current, comparable"
    assert f"{FORMER} goes on being served" in notice.text
    assert "recall_over_current is -0.0312, must be above -0.0050: 0.0262 short" in notice.text
    assert "comparable: it is damaged" in notice.text
    assert f"bookmesh versions show {VERSION}" in notice.text
    assert notice.facts["failed"][0]["value"] == -0.0312


def test_of_a_failure_it_says_at_which_step_and_what_is_served() -> None:
    notice = describe_failure("at step 6, als (train)", "StoreFull: free 12 bytes", None)

    assert notice.subject == "training failed at step 6, als (train)"
    assert "nothing is served yet" in notice.text
    assert "StoreFull: free 12 bytes" in notice.text
    assert "bookmesh train" in notice.text


def test_of_a_promotion_it_says_what_it_gains_and_how_to_take_it_back() -> None:
    notice = describe_promotion(manifest(), FORMER, by="bookmesh train", why="passed the gate")

    assert f"{VERSION} is served now, instead of {FORMER}" in notice.text
    assert "recall@30: 0.1234" in notice.text
    assert "+0.0021 [-0.0010, +0.0050]" in notice.text
    assert "bookmesh versions rollback" in notice.text


def test_of_a_promotion_by_force_it_says_what_the_gate_had_against_it() -> None:
    notice = describe_promotion(manifest(SHORT), None, by="ada", why="we know why")

    assert "instead of nothing (ada: we know why)" in notice.text
    assert "The gate had refused it (recall_over_current)." in notice.text


def test_of_a_rollback_it_says_until_when_the_models_know_readers() -> None:
    notice = describe_rollback(manifest(), FORMER, by="ada", why="complaints")

    assert f"{VERSION} is served again, instead of {FORMER} (ada: complaints)" in notice.text
    assert "until 2026-11-21 03:00 UTC" in notice.text
