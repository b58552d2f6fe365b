"""A lease holds versions while its holder renews it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from artifacts.errors import LeaseNameInvalid, VersionUnknown
from artifacts.leases import LEASE_LIFE, read_fresh_leases
from artifacts.store import ArtifactStore
from tests.artifacts.examples import seal_point


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "store")


def test_a_lease_replaces_the_holders_former_one(store: ArtifactStore) -> None:
    first, second = seal_point(store, 1.0).version, seal_point(store, 2.0).version
    store.hold("als-1", [first])

    store.hold("als-1", [second, second])

    [lease] = read_fresh_leases(store.root, now=datetime.now(UTC))
    assert lease.versions == (second,)


def test_a_lease_that_nobody_renews_goes_stale(store: ArtifactStore) -> None:
    store.hold("als-1", [seal_point(store, 1.0).version])
    now = datetime.now(UTC)

    assert read_fresh_leases(store.root, now=now)
    assert not read_fresh_leases(store.root, now=now + LEASE_LIFE + timedelta(seconds=1))


def test_a_released_lease_is_gone(store: ArtifactStore) -> None:
    store.hold("als-1", [seal_point(store, 1.0).version])

    store.release("als-1")
    store.release("als-1")

    assert read_fresh_leases(store.root, now=datetime.now(UTC)) == []


def test_a_version_that_is_gone_cannot_be_held(store: ArtifactStore) -> None:
    with pytest.raises(VersionUnknown):
        store.hold("als-1", ["20200101T000000Z-abcdef"])


@pytest.mark.parametrize("holder", ["", "../x", "a b", ".hidden", "x" * 101])
def test_a_holder_that_could_not_be_a_file_name_is_refused(holder: str, store: ArtifactStore) -> None:
    with pytest.raises(LeaseNameInvalid):
        store.hold(holder, [])


def test_a_damaged_lease_is_no_lease(store: ArtifactStore) -> None:
    (store.root / "leases").mkdir(parents=True)
    (store.root / "leases" / "als-1.json").write_text("{")

    assert read_fresh_leases(store.root, now=datetime.now(UTC)) == []
