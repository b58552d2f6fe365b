"""The version in production is compared with, whatever happened to it; else no candidate passes unwatched."""

from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import delete, insert, update

from artifacts.manifest import GateCheck, GateVerdict
from catalog.tables import Rating, User
from pipeline.models.fold_models import GATE_OWNER
from pipeline.report import RunReport
from pipeline.settings import GateParams, SplitParams
from tests.pipeline.catalogs import club_pairs
from tests.pipeline.conftest import Home

COMPARED, COMPARABLE = "recall_over_current", "comparable_with_current"


def changed(home: Home, **options: object) -> Home:
    """The same home under other parameters of training."""
    train = home.settings.train.model_copy(update=options)
    return replace(home, settings=home.settings.model_copy(update={"train": train}))


def other_split(home: Home) -> Home:
    return changed(home, split=SplitParams(held_out_share=0.3))


def find(report: RunReport, name: str) -> GateCheck:
    [check] = [check for check in report.verdict.checks if check.name == name]
    return check


def remove_fold_models(home: Home, version: str) -> None:
    """What a collection by hand, or a damaged disk, may leave of a version."""
    manifest = home.store.manifest(version)
    served = {entry.digest for entry in manifest.objects if entry.owner != GATE_OWNER}
    for entry in manifest.owned_by(GATE_OWNER):
        if entry.digest not in served:
            home.store.objects.path(entry.digest).unlink()


def promote_unreadable(home: Home) -> str:
    """A version in production whose parameters no release of ours would have sealed."""
    manifest = home.store.draft().seal(
        split_id="pairs-by-year", data_fingerprint="", code_revision="9.9.9+0", params={"als": {"rank": 3}},
        seed=1, metrics={}, gate=GateVerdict(passed=True),
    )  # fmt: skip
    home.store.promote(manifest.version, by="test", why="to see what follows it")
    return manifest.version


def test_the_first_version_is_compared_with_none_and_says_so(trained: tuple[Home, RunReport]) -> None:
    _, report = trained

    check = find(report, COMPARED)

    assert report.promoted
    assert (check.passed, check.skipped, check.value) == (False, True, None)
    assert "no version is current" in check.detail


def test_a_version_of_another_split_is_refitted_on_the_new_fold_once(trained_home: Home) -> None:
    first, other = trained_home.store.current(), other_split(changed(trained_home, seed=7))

    refused = changed(other, gate=GateParams(floor_margin=50)).train()
    report = other.train()

    check = find(report, COMPARED)
    assert report.promoted and check.value is not None and not check.skipped
    assert f"that of {first}, refitted" in check.detail
    assert "pairs-0.2-of-5" in check.detail
    refits = [run for each in (refused, report) for run in each.steps if run.data == "current"]
    assert [(run.name, run.reused) for run in refits] == [
        ("subjects", False), ("als", False), ("subjects", True), ("als", True),
    ]  # fmt: skip


def test_a_version_whose_fold_models_are_gone_is_refitted(trained_home: Home) -> None:
    first = str(trained_home.store.current())
    remove_fold_models(trained_home, first)

    report = trained_home.train()

    check = find(report, COMPARED)
    assert report.promoted and check.value == pytest.approx(0)
    assert find(report, "cold_recall_over_current").value == pytest.approx(0)
    assert f"{first}, refitted" in check.detail and "missing" in check.detail


def test_after_a_rollback_the_version_rolled_back_to_is_compared_with(trained_home: Home) -> None:
    first = str(trained_home.store.current())
    trained_home.train()
    trained_home.store.rollback(by="test", why="the second one is not liked")

    report = trained_home.train()

    check = find(report, COMPARED)
    assert check.value is not None and f"that of {first}, as it was sealed" in check.detail


def test_a_version_that_knows_none_of_todays_readers_is_refitted(trained_home: Home) -> None:
    with trained_home.db.session(write=True) as session:
        session.execute(delete(Rating))
        session.execute(update(User).values(user_id=User.user_id + 1000))
        pairs = club_pairs(np.random.default_rng(3))
        session.execute(
            insert(Rating), [{"user_id": 1000 + u, "book_id": b, "rating": rating} for u, b, rating in pairs]
        )

    report = trained_home.train()

    check = find(report, COMPARED)
    assert check.value is not None and "refitted" in check.detail


@pytest.mark.parametrize("how", ["parameters", "manifest"])
def test_a_version_that_cannot_be_read_is_never_passed_by(trained_home: Home, how: str) -> None:
    if how == "parameters":
        version = promote_unreadable(trained_home)
    else:
        version = str(trained_home.store.current())
        trained_home.store.manifest_path(version).write_text("{}")

    report = trained_home.train()

    check = find(report, COMPARABLE)
    assert not report.promoted and report.failed_checks == [COMPARABLE]
    assert trained_home.store.current() == version
    assert (check.passed, check.skipped) == (False, False)
    assert version in check.detail and "--accept-incomparable" in check.detail


def test_an_operator_may_accept_that_a_version_cannot_be_compared_with(trained_home: Home) -> None:
    version = promote_unreadable(trained_home)

    report = trained_home.train(accept_incomparable=True)

    check = find(report, COMPARABLE)
    assert report.promoted and trained_home.store.current() == report.version
    assert (check.passed, check.skipped) == (False, True)
    assert trained_home.store.manifest(report.version).gate == report.verdict
    assert f"not compared with {version}" in trained_home.store.promotions()[-1].why


def test_accepting_skips_no_comparison_that_can_be_made(trained_home: Home) -> None:
    report = trained_home.train(accept_incomparable=True)

    assert find(report, COMPARED).passed
    assert trained_home.store.promotions()[-1].why == "passed the gate"
