"""A model of a disk that loses power: only what was synced is sure to be there afterwards.

A file's content is sure after fsync of the file, a name after fsync of its folder. Of everything else any
part may have reached the disk: each name's change by itself, and of a file that was not synced any beginning,
or zeros.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = -1


@dataclass
class File:
    """One file's bytes: what processes see, and what is sure to survive."""

    written: bytes = b""
    synced: bytes = b""


@dataclass
class Disk:
    """What processes see of one folder's tree, and what is sure to survive; a hook for `intercepted`."""

    root: Path
    files: list[File] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    sure: dict[str, int] = field(default_factory=dict)
    _open: dict[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, root: Path) -> "Disk":
        """Take a folder as it is, all of it synced."""
        disk = cls(root)
        for path in sorted(root.rglob("*")):
            if path.is_file():
                disk.files.append(File(path.read_bytes(), path.read_bytes()))
            disk.seen[str(path)] = FOLDER if path.is_dir() else len(disk.files) - 1
        disk.sure = dict(disk.seen)
        return disk

    def apply(self, name: str, args: tuple[Any, ...], result: Any) -> None:
        """Note one operation that has succeeded."""
        match name:
            case "open":
                self._opened(str(args[0]), result)
            case "write":
                file = self.files[self.seen[self._open[args[0]]]]
                file.written += bytes(args[1])[:result]
            case "fsync":
                self._sync(self._open[args[0]])
            case "replace":
                self.seen[str(args[1])] = self.seen.pop(str(args[0]))
            case "unlink":
                del self.seen[str(args[0])]
            case "mkdir":
                self.seen[str(args[0])] = FOLDER
            case "utime":
                pass
            case _:
                raise AssertionError(f"the disk model does not know {name}")

    def _opened(self, path: str, descriptor: int) -> None:
        self._open[descriptor] = path
        if path not in self.seen and path != str(self.root):
            self.files.append(File())
            self.seen[path] = len(self.files) - 1

    def _sync(self, path: str) -> None:
        if self.seen.get(path, FOLDER) == FOLDER:
            for name in {*self.seen, *self.sure}:
                if str(Path(name).parent) == path:
                    self._settle(name)
        else:
            file = self.files[self.seen[path]]
            file.synced = file.written

    def _settle(self, name: str) -> None:
        if name in self.seen:
            self.sure[name] = self.seen[name]
        else:
            del self.sure[name]

    def write_remains(self, target: Path, choose: Callable[[int], int]) -> None:
        """Write to target what a power cut may leave; choose(n) picks one of n cases, 0 the least kept."""
        names = {}
        for name in sorted({*self.seen, *self.sure}):
            views = [self.sure.get(name), self.seen.get(name)]
            if (kept := views[choose(2)] if views[0] != views[1] else views[0]) is not None:
                names[name] = kept
        target.mkdir()
        for name, number in names.items():
            path = target / Path(name).relative_to(self.root)
            if not path.parent.is_dir():
                continue  # its folder was lost
            if number == FOLDER:
                path.mkdir()
            else:
                path.write_bytes(_remains(self.files[number], choose))


def _remains(file: File, choose: Callable[[int], int]) -> bytes:
    if file.synced == file.written:
        return file.synced
    n_kept = choose(len(file.written) + 1)
    return file.written[:n_kept] if choose(2) else bytes(n_kept)
