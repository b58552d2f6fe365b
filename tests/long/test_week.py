"""A week of nights: readers are served through whatever happens, and operators are told.

No clock is false: the night begins with the next full minute, by the setting that says when it does.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_train import fill, free_bytes, rows, small_disk
from tests.homes import Home
from tests.long.week import (
    OF_NOBODY,
    OF_READERS,
    PER_SECOND,
    Week,
    find_mixed,
    hold_back,
    make_noise,
    write_report,
)
from tests.loopback.load import steady_load
from tests.meshes import running_mesh, wait_until
from tests.notifications.hooks import receiver

pytestmark = pytest.mark.long

REPORT = Path(__file__).with_name("week.md")
UNCACHED = {"BOOKMESH_GATEWAY__CACHE__RESPONSE_BYTES": "1"}
"""Every answer is made anew, so that none hides what happens to the servers."""
SLOW_ALS = {"BOOKMESH_TRAIN__EVIDENCE__ALS__N_ITERATIONS": "200"}
"""So that step 6 is surely under way when it is killed."""


@pytest.fixture
def week(imported_home: Home, tmp_path: Path) -> Iterator[Week]:
    """A mesh on a small disk, with a first version, used all the time."""
    prepared = imported_home.copy(tmp_path / "prepared")
    coming = hold_back(prepared, seed=3)
    prepared.succeed("train")
    used = sum(path.stat().st_size for path in prepared.store.root.rglob("*") if path.is_file())
    home = Home(tmp_path / "home")
    with small_disk(home.path / "artifacts", size_bytes=30 * used), receiver() as hook:
        fill(prepared, home)
        with (
            running_mesh(home, BOOKMESH_NOTIFY__WEBHOOK_URL=hook.url, **UNCACHED) as mesh,
            steady_load(mesh.client, OF_NOBODY + OF_READERS, per_second=PER_SECOND) as load,
        ):
            yield Week(mesh, load, hook, coming)


@pytest.mark.timeout(3600)
def test_readers_are_served_through_a_week_of_nights(week: Week) -> None:
    started_s, first = time.monotonic(), week.current

    play_good_night(week, "Monday")
    play_good_night(week, "Tuesday")
    play_poisoned_night(week)
    play_crash(week)
    play_full_disk(week)
    play_good_night(week, "Saturday")
    play_rollback(week)
    play_many_ratings(week)

    report = "\n".join(write_report(week, seconds=time.monotonic() - started_s)) + "\n"
    REPORT.write_text(report)
    sys.stdout.write(report)
    assert [(outcome.query, outcome.status, outcome.body) for outcome in week.load.failures] == []
    assert find_mixed(week.load) == []
    assert all(outcome.header_version == outcome.body["version"] for outcome in week.load.outcomes)
    assert set(week.load.versions) == {first, *(night.version for night in week.nights)}


def play_good_night(week: Week, name: str) -> None:
    before = week.current
    week.day()

    done = week.fire_timer()

    assert done.returncode == 0, done.stdout + done.stderr
    assert "a night has passed" in done.stderr
    assert week.current != before
    week.note(name, "600 ratings came", "trained and promoted")
    assert week.nights[-1].told == [f"{week.current} is served now"]


def play_poisoned_night(week: Week) -> None:
    before, evening = week.current, week.home.path / "evening"
    week.home.succeed("data", "export", str(evening))
    week.rate(make_noise(week.mesh, each=25, seed=5))

    done = week.fire_timer()

    assert done.returncode == 3, done.stdout + done.stderr
    assert week.current == before
    week.home.succeed("import", "export", str(evening))
    week.note(
        "Wednesday", "a broken client sent ratings at random", "refused; the ratings of the evening restored"
    )
    [told] = week.nights[-1].told
    assert "the gate refused" in told
    assert "learned_evidence" in told


def play_crash(week: Week) -> None:
    before = week.current
    week.day()
    with week.begun(**SLOW_ALS) as training:
        wait_until(lambda: training.reads('"step":"subjects","data":"train"'), patience_s=120)
        training.crash()
        log = training.log.read_text()
    assert '"step":"als","data":"train"' not in log
    assert week.current == before

    week.home.succeed("notify", "bookmesh-train.service was killed")  # as its OnFailure= does
    done = week.fire_timer(**SLOW_ALS)

    assert done.returncode == 0, done.stdout + done.stderr
    steps = rows(done.stdout)
    assert steps["subjects"][0] == "kept"
    assert [took == "kept" for took in steps["als"]] == [True, False, False]  # inner, train and all
    assert week.current != before
    week.note("Thursday", "killed in step 6", "resumed by the next call, promoted")


def play_full_disk(week: Week) -> None:
    before, ballast = week.current, week.home.path / "artifacts" / "ballast"
    week.day()
    ballast.write_bytes(bytes(free_bytes(week.home) - 65_536))

    failed = week.fire_timer()
    served_meanwhile = week.current
    week.settle()
    ballast.unlink()
    done = week.fire_timer()

    assert failed.returncode == 1, failed.stdout + failed.stderr
    assert "nothing was published; free" in failed.stderr
    assert served_meanwhile == before
    assert done.returncode == 0, done.stdout + done.stderr
    week.note("Friday", "the disk was full", "failed; room was made, trained and promoted")
    first, _ = week.nights[-1].told
    assert "training failed after step 9, gate" in first


def play_rollback(week: Week) -> None:
    left = week.current

    week.home.succeed("versions", "rollback", "--why", "complaints about list quality")
    week.settle()

    assert week.current == week.nights[-2].version
    week.note("Sunday", "an operator did not like Saturday's lists", f"rolled back from {left}")
    assert week.nights[-1].told == [f"rolled back to {week.current}"]


def play_many_ratings(week: Week) -> None:
    before = week.current
    week.day(900)

    due = week.home.run(
        "train", "--if-due", BOOKMESH_WORKER__NEW_RATINGS="800", BOOKMESH_TRAIN__GATE__MAX_LOSS="0.05"
    )

    assert due.returncode == 0, due.stdout + due.stderr
    assert "900 of 800 ratings have come" in due.stderr
    assert week.current != before
    week.note("Monday", "900 ratings came at once", "trained by day and promoted")
