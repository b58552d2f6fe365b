"""Kill a process at every file-system operation of a change to a store, each time in a store of its own.

`python -m tests.artifacts.crash ACTION FOLDER` builds FOLDER/base, then, for n = 0, 1, ..., copies it to
FOLDER/<n>, forks, and lets the child die just before operation n (a write: half-way through it) until one
child finishes. It prints one JSON line for each child. A fresh process forks: pytest's own may have threads.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from artifacts.store import ArtifactStore
from tests.artifacts import examples
from tests.artifacts.examples import Model
from tests.artifacts.operations import intercepted, watch_for_escapes

KILLED, ESCAPED, FINISHED = 77, 99, 0
FIRST, SECOND = 1, 2
"""Seeds of the models: FIRST is in the base, SECOND is what a publish adds."""


def build_base(root: Path, model: Model) -> None:
    """Make a store with two promoted versions, the second of them current, and one refused."""
    store = ArtifactStore(root)
    examples.publish_point(store, 0.0)
    manifest = examples.seal(store, model)
    store.promote(manifest.version, by="test", why="base")
    examples.seal_point(store, 9.0, gate=examples.REFUSED)


def publish(root: Path, model: Model) -> None:
    """Publish a model."""
    store = ArtifactStore(root)
    manifest = examples.seal(store, model)
    store.promote(manifest.version, by="test", why="publish")


def rollback(root: Path, model: Model) -> None:
    """Go back to the version before."""
    ArtifactStore(root).rollback(by="test", why="rollback")


def collect(root: Path, model: Model) -> None:
    """Collect garbage in two days' time, keeping the current version only."""
    ArtifactStore(root, now=lambda: datetime.now(UTC) + timedelta(days=2)).gc(keep=1)


def view(root: Path, model: Model) -> None:
    """Open the current version, which makes its folder value's tree of links."""
    store = ArtifactStore(root)
    store.load(store.manifest(str(store.current())), "als", Model)


ACTIONS: dict[str, Callable[[Path, Model], None]] = {
    "publish": publish,
    "rollback": rollback,
    "collect": collect,
    "view": view,
}


def run_killed_at(operation: int, action: Callable[[], None]) -> None:
    """Die at this operation of the action, or with FINISHED after it."""
    n_done = inside = 0

    def hook(name: str, original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        nonlocal n_done, inside
        if n_done == operation:
            if name == "write":
                original(args[0], bytes(args[1])[: len(args[1]) // 2])
            _tell(operation, f"{name} {args[0]}")
            os._exit(KILLED)
        n_done, inside = n_done + 1, inside + 1
        try:
            return original(*args, **kwargs)
        finally:
            inside -= 1

    def escape(event: str) -> None:
        _tell(operation, event)
        os._exit(ESCAPED)

    with intercepted(hook):
        watch_for_escapes(lambda: inside > 0, escape)
        action()
    os._exit(FINISHED)


def main(action: str, folder: Path) -> None:
    """Kill one child after the other until one finishes."""
    build_base(folder / "base", examples.build_model(folder / "texts-1", FIRST))
    model = examples.build_model(folder / "texts-2", SECOND)
    for operation in count():
        root = folder / str(operation)
        shutil.copytree(folder / "base", root, symlinks=True)
        child = os.fork()
        if child == 0:
            run_killed_at(operation, lambda root=root: ACTIONS[action](root, model))  # type: ignore[misc]
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code != KILLED:
            _tell(operation, "finished" if code == FINISHED else f"exit code {code}")
            return


def _tell(operation: int, what: str) -> None:
    sys.__stdout__.write(json.dumps({"operation": operation, "what": what}) + "\n")  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
