import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from artifacts.leases import read_fresh_leases
from artifacts.store import ArtifactStore, utc_now
from servers.errors import NotLoaded, ReloadFailed, VersionNotHeld
from servers.shell.holder import VersionHolder
from servers.shell.metrics import ServerMetrics
from servers.shell.settings import ServerOptions
from telemetry.metrics import build_registry
from tests.servers.running import wait_until
from tests.servers.shell.counting import CountingModel, Gate, counting_server, publish_numbers

Holder = VersionHolder[CountingModel]


@pytest.fixture
def make_holder(store: ArtifactStore) -> Callable[..., Holder]:
    def make(**changes: float) -> Holder:
        return VersionHolder(
            store,
            counting_server(Gate()),
            ServerOptions(**{"pointer_poll_s": 0.01, "load_retry_s": 60.0, **changes}),
            ServerMetrics("als", build_registry()),
        )

    return make


@contextmanager
def following(holder: Holder) -> Iterator[Holder]:
    stopping = threading.Event()

    async def follow() -> None:
        while not stopping.wait(holder.options.pointer_poll_s):
            await holder.follow()

    thread = threading.Thread(target=asyncio.run, args=(follow(),))
    thread.start()
    try:
        yield holder
    finally:
        stopping.set()
        thread.join()
        holder.stop()


def test_an_empty_store_leaves_the_holder_without_a_version(make_holder: Callable[..., Holder]) -> None:
    holder = make_holder()

    holder.refresh()

    assert holder.current is None
    with pytest.raises(NotLoaded), holder.use(None):
        pass
    with pytest.raises(VersionNotHeld), holder.use("20000101T000000Z-000000"):
        pass


def test_only_objects_that_changed_are_opened_again(
    store: ArtifactStore, make_holder: Callable[..., Holder]
) -> None:
    holder = make_holder()
    publish_numbers(store, [1])
    holder.refresh()
    before = holder.current
    publish_numbers(store, [2])

    holder.refresh()

    after = holder.current
    assert before is not None
    assert after is not None
    assert after.model.constants is before.model.constants
    assert after.model.numbers.tolist() == [2]
    assert before.model.numbers.tolist() == [1]


def test_a_rollback_to_a_version_still_held_loads_nothing(
    store: ArtifactStore, make_holder: Callable[..., Holder]
) -> None:
    holder = make_holder()
    first = publish_numbers(store, [1])
    holder.refresh()
    before = holder.current
    publish_numbers(store, [2])
    holder.refresh()
    store.rollback(by="tests", why="back")

    holder.refresh()

    assert holder.current is before
    assert holder.held[0] == first


def test_a_version_in_use_stays_however_old_it_is(
    store: ArtifactStore, make_holder: Callable[..., Holder]
) -> None:
    holder = make_holder(keep_previous_s=1e-9)
    first = publish_numbers(store, [1])
    holder.refresh()

    with holder.use(None) as held:
        second = publish_numbers(store, [2])
        holder.refresh()
        assert holder.held == [second, first]
        assert held.model.numbers.tolist() == [1]
    holder.refresh()

    assert holder.held == [second]


def test_a_version_that_fails_its_warm_up_is_refused(
    store: ArtifactStore, make_holder: Callable[..., Holder]
) -> None:
    holder = make_holder()
    first = publish_numbers(store, [1])
    holder.refresh()
    second = publish_numbers(store, [])

    with pytest.raises(ReloadFailed, match=rf"{second}.*no numbers"):
        holder.refresh()

    assert holder.held == [first]
    assert "no numbers" in (holder.last_error or "")


def test_a_refused_version_is_tried_again_only_after_a_while_but_another_at_once(
    store: ArtifactStore, make_holder: Callable[..., Holder]
) -> None:
    holder = make_holder()
    failures = holder.metrics.loads_failed._value
    publish_numbers(store, [])
    with following(holder):
        wait_until(lambda: failures.get() == 1)
        assert not threading.Event().wait(0.1)  # ten polls
        assert failures.get() == 1

        good = publish_numbers(store, [1])

        wait_until(lambda: holder.held == [good])
        assert holder.last_error is None


def test_a_refused_version_is_told_of_whenever_the_pointer_names_it(
    store: ArtifactStore, make_holder: Callable[..., Holder]
) -> None:
    holder = make_holder()
    good, bad = publish_numbers(store, [1]), publish_numbers(store, [], promote=False)
    told = []
    for version in (bad, good, bad, good):
        store.promote(version, by="tests", why="to and fro")
        asyncio.run(holder.follow())
        told.append(
            (holder.held, "no numbers" in (holder.last_error or ""), holder.metrics.refused._value.get())
        )

    assert told == [([good], True, 1), ([good], False, 0)] * 2
    assert holder.metrics.loads_failed._value.get() == 1


def test_a_refused_version_is_served_once_it_is_mended(
    store: ArtifactStore, make_holder: Callable[..., Holder]
) -> None:
    version = publish_numbers(store, [7, 8])
    entry = next(each for each in store.manifest(version).objects if each.name == "als/numbers")
    path = store.objects.path(entry.digest)
    content = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(content[:-1])
    holder = make_holder(load_retry_s=0.05)
    with following(holder):
        wait_until(lambda: "als/numbers" in (holder.last_error or ""))

        path.write_bytes(content)

        wait_until(lambda: holder.held == [version])


def test_a_held_version_is_spared_by_the_garbage_collection_until_the_holder_stops(
    store: ArtifactStore, make_holder: Callable[..., Holder]
) -> None:
    # The collection spares what is younger than an hour anyway, so these are published two hours ago.
    past = ArtifactStore(store.root, now=lambda: utc_now() - timedelta(hours=2))
    first = publish_numbers(past, [1])
    holder = make_holder()
    with following(holder):
        wait_until(lambda: holder.held == [first])
        second = publish_numbers(past, [2])
        wait_until(lambda: holder.held == [second, first])

        store.gc(keep=1)
        assert first in store.versions()

    store.gc(keep=1)
    assert store.versions() == [second]


def test_a_store_that_takes_no_lease_is_served_all_the_same(
    store: ArtifactStore, make_holder: Callable[..., Holder]
) -> None:
    version = publish_numbers(store, [1])
    (store.root / "leases").write_text("a file where the folder should be")
    holder = make_holder()

    holder.refresh()

    assert holder.held == [version]


def test_a_damaged_pointer_leaves_the_version_serving(
    store: ArtifactStore, make_holder: Callable[..., Holder], tmp_path: Path
) -> None:
    version = publish_numbers(store, [1])
    holder = make_holder()
    holder.refresh()
    (store.root / "CURRENT").write_bytes(b"\xff\xfe")

    with pytest.raises(ReloadFailed):
        holder.refresh()

    assert holder.held == [version]


def test_a_version_that_a_gateway_names_is_kept_and_loaded_where_it_is_missing(
    store: ArtifactStore, make_holder: Callable[..., Holder]
) -> None:
    first, second = publish_numbers(store, [1]), publish_numbers(store, [2])
    holder = make_holder(keep_previous_s=0.3)
    with following(holder):
        wait_until(lambda: holder.held == [second])

        holder.keep(first)
        wait_until(lambda: holder.held == [second, first])
        deadline_s = time.monotonic() + 0.6
        while time.monotonic() < deadline_s:  # twice as long as it would stay unnamed
            holder.keep(first)
            time.sleep(0.02)
            assert holder.held == [second, first]

        wait_until(lambda: holder.held == [second])


def test_no_more_than_three_versions_are_held_and_those_that_gateways_name_stay(
    store: ArtifactStore, make_holder: Callable[..., Holder]
) -> None:
    holder = make_holder()
    pinned = publish_numbers(store, [0])
    holder.refresh()
    counts = []
    for number in range(1, 8):
        current = publish_numbers(store, [number])
        holder.keep(pinned)
        holder.refresh()
        counts.append(len(holder.held))
        assert {current, pinned} <= set(holder.held)

    other = store.promotions()[1].to_version
    holder.keep(other)
    holder.refresh()

    assert counts == [2, 3, 3, 3, 3, 3, 3]
    assert holder.held == [current, pinned, other]
    assert holder.metrics.held._value.get() == 3


def test_what_is_named_takes_the_place_of_nothing_that_is_named_too(
    store: ArtifactStore, make_holder: Callable[..., Holder]
) -> None:
    holder = make_holder()
    versions = [publish_numbers(store, [number]) for number in range(4)]
    for version in versions[1:3]:
        holder.keep(version)
    holder.refresh()

    holder.keep(versions[0])
    holder.refresh()

    assert holder.held == [versions[3], *versions[1:3]]


def test_what_gateways_answer_from_is_not_dropped_until_they_have_left_it(
    store: ArtifactStore, make_holder: Callable[..., Holder], monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = make_holder()
    first, second, third = (publish_numbers(store, [number]) for number in range(3))
    for version in (second, first):
        holder.keep(version)
    holder.refresh()
    fourth = publish_numbers(store, [3])

    holder.refresh()
    while_needed = holder.held
    monkeypatch.setattr("servers.shell.held.NEEDED_S", 0.0)
    holder.refresh()

    assert while_needed == [third, second, first]
    assert (holder.held[0], len(holder.held), holder.last_error) == (fourth, 3, None)


def test_a_new_version_waits_for_gateways_only_so_long(
    store: ArtifactStore, make_holder: Callable[..., Holder], monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = make_holder()
    versions = [publish_numbers(store, [number]) for number in range(3)]
    monkeypatch.setattr("servers.shell.holder.LONGEST_WAIT_S", 0.3)
    newest = publish_numbers(store, [3], promote=False)
    for version in versions[:2]:
        holder.keep(version)
    holder.refresh()
    store.promote(newest, by="tests", why="newest")

    with following(holder):
        while holder.held[0] != newest:
            for version in versions[:2]:
                holder.keep(version)
            time.sleep(0.01)

    assert len(holder.held) == 3


def test_a_missing_version_that_cannot_be_loaded_is_tried_once_in_a_while(
    store: ArtifactStore, make_holder: Callable[..., Holder]
) -> None:
    holder = make_holder()
    version = publish_numbers(store, [1])
    for _ in range(5):
        for unknown in ("20000101T000000Z-000000", "../../CURRENT"):
            holder.keep(unknown)
        holder.refresh()

    assert holder.held == [version]
    assert holder.last_error is None
    assert holder.metrics.loads_failed._value.get() == 2


def test_a_version_is_leased_for_as_long_as_the_next_one_fails(
    store: ArtifactStore, make_holder: Callable[..., Holder], monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = make_holder()
    first = publish_numbers(store, [1])
    holder.refresh()
    publish_numbers(store, [])
    monkeypatch.setattr("servers.shell.holder.LEASE_RENEWAL_S", 0.0)
    before = read_fresh_leases(store.root, now=utc_now())

    with pytest.raises(ReloadFailed):
        holder.refresh()

    [after] = read_fresh_leases(store.root, now=utc_now())
    assert after.heartbeat_at > before[0].heartbeat_at
    assert after.versions == (first,)
