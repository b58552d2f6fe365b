"""Keeps the results of steps under a digest of what went into them, so that nothing is computed twice."""

import hashlib
import json
import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from artifacts.errors import ArtifactError
from artifacts.records import open_record, save_record

R = TypeVar("R")
S = TypeVar("S")


@dataclass(frozen=True)
class Kept(Generic[R]):
    """A step's result and the key that it is kept under, which goes into the keys of the steps after it."""

    value: R
    key: str
    reused: bool = False

    def part(self, name: str, take: Callable[[R], S]) -> "Kept[S]":
        """A part of the result, or what follows from it alone, under a key of its own."""
        return Kept(take(self.value), f"{self.key}/{name}", self.reused)


class StepCache:
    """A folder with one record for each result, named by the result's key."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, key: str, kind: type[R], compute: Callable[[], R], *, repeat: bool = False) -> Kept[R]:
        """The result of this key; what is not kept, or damaged, or to be repeated, is computed and kept.

        A computed result is opened from its files too: a first run and a resumed one use the same values.
        """
        if not repeat and (found := self.find(key, kind)) is not None:
            return found
        path = self._folder / key
        shutil.rmtree(path, ignore_errors=True)
        save_record(compute(), path)
        return Kept(open_record(kind, path), key)

    def find(self, key: str, kind: type[R]) -> Kept[R] | None:
        """The result of this key; None if it is not kept, or not whole."""
        try:
            return Kept(open_record(kind, self._folder / key), key, reused=True)
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


def build_key(name: str, *, code: str, params: object, inputs: Sequence[str]) -> str:
    """The step's name, and a digest of its code, its parameters and the keys of its inputs."""
    facts = json.dumps({"code": code, "params": params, "inputs": list(inputs)}, sort_keys=True)
    return f"{name}-{hashlib.sha256(facts.encode()).hexdigest()[:32]}"
