"""The home: who may write and read there, and how much room there is."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

from artifacts.errors import ArtifactError
from artifacts.store import ArtifactStore
from cli.doctor.finding import AllSettings, Finding, failed, ok, warning

LEAST_BYTES: Final = 1 << 30
"""A home without any version is asked for so much."""
FULL_SHARE: Final = 0.05
MIB: Final = 2**20
CATALOG: Final = "catalog.db"
SECRET: Final = ("secrets", "outbox", CATALOG)
"""What others must not read."""


def check_home(settings: AllSettings) -> Iterator[Finding]:
    """The folder is there, ours, and can be written to."""
    home = settings.catalog.home.absolute()
    if not home.is_dir():
        yield failed(
            "home", f"{home} is not there", "name the right one in BOOKMESH_HOME, or import a catalog"
        )
        return
    for folder in (home, home / "artifacts", home / "run", home / "logs"):
        if folder.exists() and (reason := _find_obstacle(folder)):
            yield failed("home", f"{folder} cannot be written to: {reason}", f"chown -R {_name_us()} {home}")
            return
    if others := _find_others(home):
        yield failed("home", f"{others[0]} belongs to another user", f"chown -R {_name_us()} {home}")
    elif home.stat().st_mode & 0o002:
        yield failed("home", f"everybody may write to {home}", f"chmod o-w {home}")
    else:
        yield ok("home", f"{home} is ours")


def check_secrets(settings: AllSettings) -> Iterator[Finding]:
    """Nobody else may read what is secret or personal."""
    home = settings.catalog.home.absolute()
    is_open = False
    for path in _list_secret(home):
        if not (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077:
            continue
        is_open = True
        tell = warning if path.name == CATALOG else failed  # it holds e-mails, and nothing to log in with
        wanted = "700" if path.is_dir() else "600"
        yield tell("secrets", f"others may read {path} (mode {mode:04o})", f"chmod {wanted} {path}")
    if not is_open:
        yield ok("secrets", "only we may read them")


def check_disk(settings: AllSettings) -> Iterator[Finding]:
    """There is room for the next version."""
    root = settings.catalog.artifacts_root
    existing = next(each for each in (root.absolute(), *root.absolute().parents) if each.exists())
    disk = shutil.disk_usage(existing)
    needed = _measure_current(ArtifactStore(root)) or LEAST_BYTES
    free = f"{disk.free / MIB:,.0f} MiB free of {disk.total / MIB:,.0f} at {existing}"
    remedy = "make room: `bookmesh versions gc --keep 1` removes old versions, old exports and backups may go"
    if disk.free < needed:
        yield failed("disk", f"{free}: less than a version takes ({needed / MIB:,.0f} MiB)", remedy)
    elif disk.free < 2 * needed or disk.free < FULL_SHARE * disk.total:
        yield warning("disk", free, remedy)
    else:
        yield ok("disk", free)


def _find_obstacle(folder: Path) -> str | None:
    try:
        with TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return error.strerror


def _find_others(home: Path) -> list[Path]:
    """What is of another user; root may read and write all the same."""
    if os.geteuid() == 0:
        return []
    return [path for path in (home, *home.iterdir()) if path.lstat().st_uid != os.geteuid()]


def _list_secret(home: Path) -> list[Path]:
    tops = [home / name for name in SECRET if (home / name).exists()]
    inside = [each for top in tops if top.is_dir() for each in sorted(top.iterdir())]
    return [*tops, *inside]


def _measure_current(store: ArtifactStore) -> int:
    try:
        current = store.current()
        return sum(entry.bytes for entry in store.manifest(current).objects) if current else 0
    except (ArtifactError, OSError):
        return 0  # what is wrong there another check says


def _name_us() -> str:
    return f"{os.geteuid()}:{os.getegid()}"
