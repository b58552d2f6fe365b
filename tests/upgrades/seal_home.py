"""Seals a small home with one release, so that the tests of every later release can open it.

The home is made by the real commands: a catalog of made-up books, two versions that passed the gate, and what
the mesh answered from each. docs/releasing.md says when to run this.
"""

import argparse
import json
import sqlite3
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.homes import ROOT, Home
from tests.meshes import Mesh, running_mesh, wait_until
from tests.upgrades.answers import EXPECTED, ask

HOMES = Path(__file__).parent / "homes"
KEPT = ("artifacts/CURRENT", "artifacts/PROMOTIONS.jsonl", "artifacts/objects", "artifacts/versions")
CATALOG = "catalog.db"
DEMO = ("import", "demo", "--books", "150", "--readers", "300", "--ratings", "8000")
TINY_MODELS = {
    "BOOKMESH_SUBJECTS__DIM": "8",
    "BOOKMESH_ALS__N_FACTORS": "8",
    "BOOKMESH_INDEX__TEXT_DIM": "8",
    "BOOKMESH_GATE__MAX_LOSS": "1",
}
"""Beside tests/homes.py's; so few readers are measured that a slightly worse version must be let through."""
OTHER_MODELS = {"BOOKMESH_SEED": "22", "BOOKMESH_ALS__ALPHA": "24"}
QUICK = {"BOOKMESH_POINTER_POLL_S": "0.1", "BOOKMESH_POLL_INTERVAL_S": "0.1"}


def main() -> None:
    """Seal a home with the checkout that the words name; one that was sealed before is never replaced."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkout", type=Path, default=ROOT, help="the release; by default this one")
    parser.add_argument("--to", type=Path, default=HOMES, help="where the archive goes")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bookmesh-") as folder:
        home = Home(Path(folder), TINY_MODELS, checkout=words.checkout.resolve())
        fill(home)
        archive = words.to / f"{read_release(home)}.tar.xz"
        if archive.exists():
            sys.exit(f"{archive} exists; a sealed home stays as its release made it")
        pack(home.path, archive)
    print(f"{archive}: {archive.stat().st_size:,} bytes")


def read_release(home: Home) -> str:
    """The release that sealed the current version."""
    return home.store.manifest(str(home.store.current())).release


def fill(home: Home) -> None:
    """A catalog, two versions, and the answers from each."""
    home.succeed(*DEMO)
    home.succeed("train")
    with running_mesh(home, **QUICK) as mesh:
        first = ask_served(mesh)
        home.succeed("train", **OTHER_MODELS)
        wait_until(lambda: serves(mesh, str(home.store.current())))
        second = ask_served(mesh)
    (home.path / EXPECTED).write_text(json.dumps(first | second, indent=1))


def ask_served(mesh: Mesh) -> dict[str, Any]:
    """The answers, by the version that they are from."""
    return {mesh.get("/v1/version")["version"]: ask(mesh.client)}


def serves(mesh: Mesh, version: str) -> bool:
    """Whether the gateway answers from this version."""
    return bool(mesh.get("/v1/version")["version"] == version)


def pack(home: Path, archive: Path) -> None:
    """Pack what a release cannot make again; the same home gives the same bytes."""
    with closing(sqlite3.connect(home / CATALOG)) as catalog:
        catalog.execute("VACUUM")
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w:xz", preset=9) as tar:
        for path in list_kept(home):
            tar.add(path, path.relative_to(home), filter=without_origin)


def list_kept(home: Path) -> Iterator[Path]:
    for name in sorted((CATALOG, EXPECTED, *KEPT)):
        found = home / name
        yield from sorted(found.iterdir()) if found.is_dir() else [found]


def without_origin(info: tarfile.TarInfo) -> tarfile.TarInfo:
    return info.replace(mtime=0, uid=0, gid=0, uname="", gname="", deep=False)


if __name__ == "__main__":
    main()
