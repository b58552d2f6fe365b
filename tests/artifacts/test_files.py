"""A full disk, wherever it strikes, is told in plain words and leaves nothing half-written."""

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from artifacts.errors import StoreFull
from artifacts.files import measure, replace_file
from artifacts.store import ArtifactStore
from tests.artifacts.examples import Model, Point, build_model, publish_point, seal, seal_point
from tests.artifacts.operations import intercepted

TMPFS_BYTES = 1 << 20


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of one MiB."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={TMPFS_BYTES}", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a tmpfs takes root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


class FullAt:
    """Lets operations pass until the nth that needs room, then fails that one as a full disk does."""

    NEED_ROOM = ("write", "mkdir", "replace", "symlink", "rename")

    def __init__(self, n: int) -> None:
        self.n_left = n

    def __call__(
        self, name: str, original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        is_there = name == "mkdir" and Path(args[0]).is_dir()
        if name in self.NEED_ROOM and not is_there:
            self.n_left -= 1
            if self.n_left == -1:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return original(*args, **kwargs)


def read_store(root: Path) -> dict[str, bytes]:
    """Read all files of a store but its lock."""
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_disk_that_is_really_full_is_told_with_what_to_free(tiny_disk: Path) -> None:
    store = ArtifactStore(tiny_disk / "store")
    current = publish_point(store, 1.0)
    before = read_store(store.root)
    free_bytes = os.statvfs(tiny_disk).f_bavail * os.statvfs(tiny_disk).f_frsize
    draft = store.draft()
    draft.add("als", Point(np.arange(1000, dtype=np.float32)))

    with pytest.raises(
        StoreFull, match=r"disk full while writing similarity/at .*nothing was published"
    ) as caught:
        draft.add("similarity", Point(np.arange(TMPFS_BYTES, dtype=np.float32)))

    needed = 4 * TMPFS_BYTES + 128
    assert needed - free_bytes <= caught.value.short_bytes <= needed
    assert f"free {caught.value.short_bytes} bytes" in str(caught.value)
    assert read_store(store.root) == before
    assert (store.current(), store.verify(current)) == (current, [])


def test_freeing_what_the_error_asks_for_is_enough(tiny_disk: Path) -> None:
    ballast = tiny_disk / "ballast"
    ballast.write_bytes(bytes(600_000))
    store = ArtifactStore(tiny_disk / "store")
    record = Point(np.arange(150_000, dtype=np.float32))
    with pytest.raises(StoreFull) as caught:
        store.draft().add("als", record)

    os.truncate(ballast, 600_000 - caught.value.short_bytes - os.statvfs(tiny_disk).f_frsize)

    store.draft().add("als", record)


def fail_until_done(action: Callable[[], object], store: ArtifactStore) -> int:
    """Run an action, the disk full at its 1st, 2nd, ... write, until it succeeds; count the failures."""
    for n in count():
        current = store.current()
        try:
            with intercepted(FullAt(n)):
                action()
            return n
        except StoreFull as error:
            assert "nothing was published" in str(error)
            assert store.current() == current
            assert list((store.root / "tmp").iterdir()) == []
            assert [damage for version in store.versions() for damage in store.verify(version)] == []
    raise AssertionError


def test_a_full_disk_at_any_moment_of_a_draft_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path / "store")
    publish_point(store, 1.0)
    model, before = build_model(tmp_path / "texts"), read_store(store.root)

    def seal_or_leave_nothing() -> None:
        assert read_store(store.root) == before
        seal(store, model)

    n_failed = fail_until_done(seal_or_leave_nothing, store)

    assert n_failed >= 2 * 14 + 2  # a write and a rename for each object, and for the manifest
    assert len(store.versions()) == 2


def test_a_full_disk_at_any_moment_of_a_promotion_or_rollback_leaves_the_pointer(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path / "store")
    first, second = publish_point(store, 1.0), seal_point(store, 2.0).version

    n_promote = fail_until_done(lambda: store.promote(second, by="test", why="publish"), store)
    n_rollback = fail_until_done(lambda: store.rollback(by="test", why="back"), store)

    assert n_promote == n_rollback == 4  # the log and the pointer, each written and renamed
    assert [entry.to_version for entry in store.promotions()] == [first, second, first]


def test_what_was_sealed_before_stays_when_a_draft_is_given_up(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path / "store")
    sealed = seal_point(store, 1.0)
    draft = store.draft()
    draft.add("als", Point(np.array([1.0], dtype=np.float32)))

    with intercepted(FullAt(0)), pytest.raises(StoreFull):
        draft.add("other", Point(np.array([2.0], dtype=np.float32)))

    assert store.verify(sealed.version) == []


def test_an_error_that_is_not_a_full_disk_passes_as_it_is_and_leaves_nothing(tmp_path: Path) -> None:
    def fail(name: str, original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if name in ("write", "replace"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return original(*args, **kwargs)

    with intercepted(fail), pytest.raises(OSError, match="Input/output error"):
        replace_file(tmp_path, tmp_path / "CURRENT", b"x", name="CURRENT")

    assert read_store(tmp_path) == {}


def test_a_full_disk_while_a_folder_is_opened_is_told_and_leaves_no_half_view(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path / "store")
    manifest = seal(store, build_model(tmp_path / "texts"))

    for n in range(5):
        with intercepted(FullAt(n)), pytest.raises(StoreFull, match="als/texts"):
            store.load(manifest, "als", Model)

    assert store.load(manifest, "als", Model).record.params == {"alpha": 40, "tuned": None}
    assert list((store.root / "tmp").iterdir()) == []


def test_measuring_a_writer_counts_what_it_writes() -> None:
    array = np.zeros((3, 5))

    assert measure(lambda file: np.save(file, array)) == 128 + array.nbytes
