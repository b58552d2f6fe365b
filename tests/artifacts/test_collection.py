"""Garbage collection removes what nobody needs, and nothing else."""

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifacts.errors import ArtifactError, ManifestUnreadable
from artifacts.store import ArtifactStore
from tests.artifacts.examples import (
    REFUSED,
    Model,
    Point,
    build_model,
    publish_point,
    refresh_point,
    seal,
    seal_point,
)

HOUR = timedelta(hours=1)


@dataclass
class Clock:
    """A clock that tests set; it starts at the real time, since objects have real ages."""

    time: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.time

    def advance(self, by: timedelta) -> None:
        self.time += by


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> ArtifactStore:
    return ArtifactStore(tmp_path / "store", now=clock)


def objects_of(store: ArtifactStore) -> set[str]:
    return {path.name for path in (store.root / "objects").iterdir()}


def test_the_last_three_promoted_versions_stay(store: ArtifactStore, clock: Clock) -> None:
    versions = []
    for x in range(5):
        clock.advance(2 * HOUR)
        versions.append(publish_point(store, float(x)))
    clock.advance(2 * HOUR)

    report = store.gc()

    assert store.versions() == versions[:1:-1] == list(report.kept_versions)
    assert set(report.removed_versions) == set(versions[:2])
    assert (report.n_removed_objects, report.freed_bytes) == (2, 2 * (128 + 4))
    assert [error for version in store.versions() for error in store.verify(version)] == []


def test_the_last_three_trained_versions_stay_however_many_refreshes_came_between(
    store: ArtifactStore, clock: Clock
) -> None:
    trained, refreshes = [], []
    for x in range(4):
        clock.advance(2 * HOUR)
        trained.append(publish_point(store, float(x)))
        refreshes += [refresh_point(store, trained[-1], x + part / 10) for part in range(1, 5)]

    store.gc()

    assert store.current() == refreshes[-1]
    assert set(store.versions()) == {*trained[1:], *refreshes[-2:]}
    assert [error for version in store.versions() for error in store.verify(version)] == []


def test_a_refresh_that_was_replaced_goes_at_once_with_its_objects_but_for_those_of_a_draft(
    tmp_path: Path,
) -> None:
    store = ArtifactStore(tmp_path / "store")
    trained = publish_point(store, 0.0)
    for x in range(1, 6):
        refresh_point(store, trained, float(x))
    draft = store.draft()
    draft.add("als", Point(np.array([1.0], dtype=np.float32)))

    store.gc()

    assert len(store.versions()) == 3
    assert len(objects_of(store)) == 4


def test_the_current_version_stays_however_far_back_it_is(store: ArtifactStore, clock: Clock) -> None:
    versions = [publish_point(store, float(x)) for x in range(4)]
    for _ in range(3):
        store.rollback(by="test", why="far back")
    clock.advance(2 * HOUR)

    store.gc(keep=1)

    assert store.current() == versions[0]
    assert store.verify(versions[0]) == []


def test_a_fresh_lease_keeps_a_version_and_a_stale_one_does_not(store: ArtifactStore, clock: Clock) -> None:
    held = publish_point(store, 0.0)
    clock.advance(2 * HOUR)
    for x in range(1, 5):
        publish_point(store, float(x))
    store.hold("als-1", [held])
    clock.advance(timedelta(minutes=4))

    store.gc()
    assert store.verify(held) == []

    clock.advance(timedelta(minutes=2))
    store.gc()
    assert held not in store.versions()
    assert list((store.root / "leases").iterdir()) == []


def test_objects_of_a_draft_stay_for_an_hour(store: ArtifactStore, clock: Clock, tmp_path: Path) -> None:
    store.draft().add("als", build_model(tmp_path / "texts"))
    held = objects_of(store)
    clock.advance(timedelta(minutes=59))
    store.gc()
    assert objects_of(store) == held

    clock.advance(timedelta(minutes=2))
    store.gc()
    assert objects_of(store) == set()


def test_an_old_object_that_a_new_draft_uses_again_is_young(
    store: ArtifactStore, clock: Clock, tmp_path: Path
) -> None:
    store.draft().add("als", build_model(tmp_path / "texts"))
    held, long_ago = objects_of(store), clock().timestamp() - 7200
    for digest in held:
        os.utime(store.objects.path(digest), (long_ago, long_ago))

    store.draft().add("als", build_model(tmp_path / "texts"))
    store.gc()

    assert objects_of(store) == held


def test_a_refused_version_stays_for_inspection_until_a_later_one_is_promoted(
    store: ArtifactStore, clock: Clock
) -> None:
    publish_point(store, 0.0)
    clock.advance(2 * HOUR)
    refused = seal_point(store, 1.0, gate=REFUSED).version
    clock.advance(24 * HOUR)
    store.gc()
    assert refused in store.versions()

    publish_point(store, 2.0)
    store.gc()
    assert refused not in store.versions()


def test_a_version_sealed_within_the_hour_stays_for_whoever_is_about_to_promote_it(
    store: ArtifactStore, clock: Clock
) -> None:
    about_to_be_promoted = seal_point(store, 0.0).version
    clock.advance(timedelta(minutes=30))
    publish_point(store, 1.0)

    store.gc(keep=1)

    assert about_to_be_promoted in store.versions()


def test_an_object_that_two_versions_share_stays_with_the_younger(store: ArtifactStore, clock: Clock) -> None:
    for x in (1.0, 2.0, 3.0, 4.0, 1.0):
        clock.advance(2 * HOUR)
        version = publish_point(store, x)
    clock.advance(2 * HOUR)

    store.gc(keep=1)

    assert store.versions() == [version]
    assert store.verify(version) == []


def test_the_view_of_a_collected_folder_is_removed(
    store: ArtifactStore, clock: Clock, tmp_path: Path
) -> None:
    manifest = seal(store, build_model(tmp_path / "texts"))
    store.promote(manifest.version, by="test", why="")
    store.load(manifest, "als", Model)
    store.gc(keep=1)
    assert len(list((store.root / "views").iterdir())) == 1
    clock.advance(2 * HOUR)
    publish_point(store, 1.0)

    store.gc(keep=1)

    assert list((store.root / "views").iterdir()) == []


def test_nothing_is_removed_while_a_manifest_that_stays_cannot_be_read(
    store: ArtifactStore, clock: Clock
) -> None:
    version = publish_point(store, 1.0)
    clock.advance(2 * HOUR)
    path = store.manifest_path(version)
    path.chmod(0o644)
    path.write_text("{")
    held = objects_of(store)

    with pytest.raises(ManifestUnreadable, match=version):
        store.gc()

    assert objects_of(store) == held


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["publish", "seal", "refuse", "back", "hold", "wait", "gc"]), st.integers(0, 3)
    ),
    max_size=14,
)


@settings(max_examples=40)
@given(actions=ACTIONS)
def test_whatever_happens_what_must_stay_is_whole(
    actions: list[tuple[str, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    clock = Clock()
    store = ArtifactStore(tmp_path_factory.mktemp("store"), now=clock)
    held: str | None = None

    for action, number in actions:
        match action:
            case "publish":
                publish_point(store, float(number))
            case "seal" | "refuse":
                seal_point(store, float(number))
            case "back" if len({entry.to_version for entry in store.promotions()}) > 1:
                roll_back_if_possible(store)
            case "hold" if store.versions():
                held = store.versions()[number % len(store.versions())]
            case "wait":
                clock.advance(number * HOUR)
            case "gc":
                store.gc(keep=2)
        if held:
            store.hold("als-1", [held])

        must_stay = {store.current(), held, *[entry.to_version for entry in store.promotions()][-1:]} - {None}
        assert all(store.verify(str(version)) == [] for version in must_stay)
        assert all(store.verify(version) == [] for version in store.versions())


def roll_back_if_possible(store: ArtifactStore) -> None:
    before = store.current()
    try:
        store.rollback(by="test", why="")
    except ArtifactError:
        assert store.current() == before
