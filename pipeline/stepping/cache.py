"""Keeps the results of steps under a digest of what went into them, so that nothing is computed twice."""

import shutil
from collections.abc import Collection
from pathlib import Path
from typing import TypeVar

from artifacts.errors import ArtifactError
from artifacts.records import open_record, save_record

R = TypeVar("R")


class StepCache:
    """A folder with one record for each result, named by the result's key."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, key: str, result: R) -> R:
        """Keep a result, instead of any that this key had, and open it from its files.

        So a first run and a resumed one use the same values.
        """
        path = self._folder / key
        shutil.rmtree(path, ignore_errors=True)
        save_record(result, path)
        return open_record(type(result), path)

    def find(self, key: str, kind: type[R]) -> R | None:
        """The result of this key; None if it is not kept, or not whole."""
        try:
            return open_record(kind, self._folder / key)
        except ArtifactError:
            return None

    def newest(self, name: str) -> str | None:
        """The key of the step's result that was kept last."""
        found = [path for path in self._folder.glob(f"{name}-*") if path.is_dir()]
        return max(found, key=lambda path: path.stat().st_mtime_ns).name if found else None

    def forget_others(self, keys: Collection[str]) -> None:
        """Remove every result, whole or unfinished, but these."""
        for path in self._folder.iterdir():
            if path.is_dir() and path.name not in keys:
                shutil.rmtree(path)
