"""Many processes may use one store at once."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from artifacts import objects
from artifacts.errors import ArtifactError, VersionUnknown
from artifacts.manifest import Manifest
from artifacts.store import ArtifactStore
from tests.artifacts.examples import build_model, publish_point, seal, seal_point

REPOSITORY = Path(__file__).parents[2]

PUBLISHER = """
import sys
from pathlib import Path
from artifacts.manifest import Manifest
from artifacts.store import ArtifactStore
from tests.artifacts.examples import publish_point

store = ArtifactStore(Path(sys.argv[1]))
for n in range(8):
    publish_point(store, float(sys.argv[2]) + n / 8)
    if n % 4 == 3:
        store.rollback(by="test", why="back")
    store.gc()
"""


def test_processes_that_publish_and_roll_back_at_once_leave_one_unbroken_log(tmp_path: Path) -> None:
    commands = [[sys.executable, "-c", PUBLISHER, str(tmp_path / "store"), str(n)] for n in range(3)]
    running = [subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE) for command in commands]
    errors = [process.communicate()[1] for process in running]
    assert errors == [b"", b"", b""]

    store = ArtifactStore(tmp_path / "store")
    log = store.promotions()
    assert len(log) == 3 * (8 + 2)
    assert [entry.from_version for entry in log[1:]] == [entry.to_version for entry in log[:-1]]
    assert log[-1].to_version == store.current()
    assert [damage for version in store.versions() for damage in store.verify(version)] == []


class CollectedWhilePromoting(ArtifactStore):
    """A store where another process collects garbage just after a version was checked."""

    def _check_whole(self, manifest: Manifest, checked: Manifest | None = None) -> None:
        super()._check_whole(manifest, checked)
        ArtifactStore(self.root, now=lambda: datetime.now(UTC) + timedelta(hours=2)).gc(keep=1)


def test_a_version_that_is_collected_while_it_is_promoted_is_not_pointed_at(tmp_path: Path) -> None:
    # The candidate is of a minute ago: versions of one second have no order.
    store = CollectedWhilePromoting(tmp_path / "store", now=lambda: datetime.now(UTC) - timedelta(minutes=1))
    candidate = seal_point(store, 0.0).version
    today = ArtifactStore(store.root)
    current = today.promote(seal_point(today, 1.0).version, by="test", why="").version

    with pytest.raises(VersionUnknown, match=candidate):
        store.promote(candidate, by="test", why="too late")

    assert store.current() == current


def test_an_object_that_is_collected_while_it_is_stored_again_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ArtifactStore(tmp_path / "store")
    [entry] = seal_point(store, 1.0).objects

    def collect_after(path: Path, digest: str) -> bool:
        path.unlink()
        return True

    monkeypatch.setattr(objects, "_is_intact", collect_after)

    assert store.verify(seal_point(store, 1.0).version) == []
    assert store.objects.path(entry.digest).exists()


def test_a_collection_that_runs_all_the_time_never_breaks_a_version(tmp_path: Path) -> None:
    root = tmp_path / "store"
    store = ArtifactStore(root)
    publish_point(store, 0.0)
    # To this collector every object is old enough to be removed.
    collector = ArtifactStore(root, now=lambda: datetime.now(UTC) + timedelta(hours=2))
    n_published = 0

    def collect_often() -> None:
        for n in range(50):
            collector.gc(keep=1)
            time.sleep(n % 6 / 100)  # from none at all to long enough for a publish

    with ThreadPoolExecutor(1) as pool:
        collecting = pool.submit(collect_often)
        while not collecting.done():
            with suppress(ArtifactError):  # what is collected while it is made is refused, never broken
                publish_point(store, float(n_published % 5))
                n_published += 1
                seal(store, build_model(tmp_path / "texts", n_published % 3))
        collecting.result()

    assert [damage for version in store.versions() for damage in store.verify(version)] == []
    assert store.current() in store.versions()
    assert n_published > 0
