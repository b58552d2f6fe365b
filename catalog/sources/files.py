"""Finds and opens the files of a dump, and reads their lines without trusting in their length."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import AnyStr, BinaryIO, Final, cast

from catalog.errors import (
    SourceFileEmpty,
    SourceFileMissing,
    SourceFileTruncated,
    SourceFileUnreadable,
    SourceFormatWrong,
)
from catalog.sources.file_kinds import HEAD_BYTES, describe_head
from catalog.sources.row_log import Progress

_LONGEST_RECORD: Final = 1 << 23
"""Bytes of a compressed line; Open Library's longest have some millions."""
_GZIP: Final = b"\x1f\x8b"


def find_file(folder: Path, name: str, *, expected: str) -> Path:
    """The file of this name, or the last of this pattern.

    Raises SourceFileMissing or SourceFileUnreadable.
    """
    if folder.is_file():
        raise SourceFileUnreadable(folder, f"is a file; name the folder that holds {expected}")
    try:
        found = sorted(folder.glob(name))
    except OSError as error:
        raise SourceFileUnreadable(folder, f"cannot be read: {error.strerror}") from error
    if not found:
        raise SourceFileMissing(folder / name, expected=expected)
    if not found[-1].is_file():
        what = "a folder" if found[-1].is_dir() else "no ordinary file"
        raise SourceFileUnreadable(found[-1], f"is {what}, where a file must be")
    return found[-1]


@contextmanager
def open_file(path: Path) -> Iterator[tuple[BinaryIO, bytes]]:
    """A file and its first bytes. Raises SourceFileEmpty and, as long as it is read, SourceFileUnreadable."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            if not head:
                raise SourceFileEmpty(path)
            file.seek(0)
            yield file, head
    except OSError as error:
        raise SourceFileUnreadable(path, f"cannot be read: {error.strerror or error}") from error


@contextmanager
def open_text(path: Path) -> Iterator[tuple[BinaryIO, BinaryIO, bytes]]:
    """A file, what it holds if it is a gzip file (else itself again), and the first bytes of that."""
    with open_file(path) as (raw, head):
        if not head.startswith(_GZIP):
            yield raw, raw, head
            return
        with gzip.open(raw) as file:
            with unpacking(path, lambda: 1):
                head = file.peek(HEAD_BYTES)[:HEAD_BYTES]
            if not head:
                raise SourceFileEmpty(path)
            yield raw, cast("BinaryIO", file), head


@contextmanager
def unpacking(path: Path, line: Callable[[], int]) -> Iterator[None]:
    """Raise SourceFileTruncated or SourceFormatWrong, at a line, for what is wrong with a gzip file."""
    try:
        yield
    except EOFError as error:
        raise SourceFileTruncated(path, line=line()) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise SourceFormatWrong(path, expected="gzip", found=str(error), line=line()) from error


def read_lines(
    read: Callable[[int], AnyStr], split: Callable[[AnyStr], list[AnyStr]], ends: AnyStr, *, longest: int
) -> Iterator[list[AnyStr]]:
    """Lines with their ends, a block of them at a time; nothing of one that goes on beyond `longest`."""
    nothing = rest = read(0)
    is_long = False
    while block := read(longest // 8):
        lines = split(rest + block)
        # The last one may go on in the next block; if it ends with CR, its LF may stand there.
        rest = lines.pop()
        if lines:
            if is_long:
                lines[0], is_long = nothing, False
            yield lines
        if len(rest) > longest and rest[-1:] not in ends:
            rest, is_long = rest[:1], True
    if rest:
        yield [nothing if is_long else rest]


def read_gzip_lines(path: Path, progress: Progress, *, stage: str) -> Iterator[bytes]:
    """Lines of a compressed file; one that is too long comes empty.

    Raises SourceFormatWrong, SourceFileEmpty, SourceFileTruncated or SourceFileUnreadable.
    """
    with open_file(path) as (_, head):
        if not head.startswith(_GZIP):
            raise SourceFormatWrong(path, expected="gzip", found=describe_head(head))
    n_lines, line = 0, b""
    for line in read_byte_lines(path, progress, stage=stage):
        yield line
        n_lines += 1
    if not n_lines:
        raise SourceFileEmpty(path)
    if line and not line.endswith((b"\n", b"\r")):
        raise SourceFileTruncated(path, line=n_lines)


def read_byte_lines(path: Path, progress: Progress, *, stage: str) -> Iterator[bytes]:
    """Lines of a file that may be compressed; one that is too long comes empty.

    Raises SourceFormatWrong, SourceFileEmpty, SourceFileTruncated or SourceFileUnreadable.
    """
    n_lines = 0
    with open_text(path) as (raw, file, _), unpacking(path, lambda: n_lines + 1):
        size = path.stat().st_size
        for lines in read_lines(file.read, _split_bytes, b"\r\n", longest=_LONGEST_RECORD):
            yield from lines
            n_lines += len(lines)
            progress(stage, raw.tell(), size)
    progress(stage, size, size)


def _split_bytes(block: bytes) -> list[bytes]:
    return block.splitlines(keepends=True)
