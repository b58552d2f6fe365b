"""Reads JSON Lines: an object a line; a damaged line costs that line and no other."""

import codecs
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from msgspec import DecodeError
from msgspec.json import Decoder

from catalog.errors import SourceFileEmpty, SourceFileTruncated, SourceFormatWrong
from catalog.sources.csv_rows import NUL_BYTE, TOO_LONG
from catalog.sources.file_kinds import describe_head, find_encoding, find_kind
from catalog.sources.files import open_text, read_byte_lines
from catalog.sources.row_log import Progress

BROKEN, NO_OBJECT = "broken JSON", "no JSON object"
"""Why a line is no record."""
_EXPECTED: Final = "JSON Lines, an object in each line"
_NUL: Final = rb"\u0000"
_N_TRIED: Final = 1_000
"""Records by which the fields of a file are known."""

_DECODER: Final = Decoder()


class JsonTable:
    """A file of JSON Lines; a field within others is named by a path, its parts joined by dots."""

    header_line: int | None = None
    has_all_columns = False

    def __init__(self, path: Path) -> None:
        self.path = path

    def read_columns(self) -> list[str]:
        """Paths of the fields of the first records. Raises SourceError."""
        paths: dict[str, None] = {}
        for _, record in islice(self._records(lambda *_: None), _N_TRIED):
            if not isinstance(record, str):
                paths |= dict.fromkeys(_list_paths(record))
        return list(paths)

    def rows(
        self, columns: tuple[str, ...], progress: Progress
    ) -> Iterator[tuple[int, tuple[Any, ...] | str]]:
        """Line and fields of each record, None for those that it lacks; or why it is none."""
        paths = [tuple(column.split(".")) for column in columns]
        for line, record in self._records(progress):
            yield line, record if isinstance(record, str) else tuple([dig(record, path) for path in paths])

    def _records(self, progress: Progress) -> Iterator[tuple[int, dict[str, Any] | str]]:
        """Raises SourceFormatWrong for a first line without an object, or SourceFileTruncated."""
        self._check_kind()
        line, text, n_records = 0, b"", 0
        record: dict[str, Any] | str = ""
        for line, text in enumerate(read_byte_lines(self.path, progress, stage=self.path.name), 1):
            text = text.removeprefix(codecs.BOM_UTF8) if line == 1 else text
            if text.isspace():
                continue
            record = _parse(text)
            n_records += 1
            if n_records == 1 and isinstance(record, str):
                raise SourceFormatWrong(
                    self.path, expected=_EXPECTED, found=describe_head(text[:60]), line=line,
                    remedy="write one object a line, with no list around them",
                )  # fmt: skip
            yield line, record
        if not n_records:
            raise SourceFileEmpty(self.path)
        if record == BROKEN and not text.endswith((b"\n", b"\r")):
            raise SourceFileTruncated(self.path, line=line)

    def _check_kind(self) -> None:
        with open_text(self.path) as (_, _, head):
            kind, encoding = find_kind(head), find_encoding(head)
        if kind:
            raise SourceFormatWrong(self.path, expected=_EXPECTED, found=kind.name, remedy=kind.remedy)
        if encoding not in (None, "utf-8-sig"):
            raise SourceFormatWrong(
                self.path, expected=_EXPECTED, found=describe_head(head), remedy="save it as UTF-8"
            )


def dig(value: Any, path: tuple[str, ...]) -> Any:
    """What stands at a path within objects; of a list, what stands there in each of its elements."""
    for depth, name in enumerate(path):
        if isinstance(value, list):
            return [dig(each, path[depth:]) for each in value]
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _parse(line: bytes) -> dict[str, Any] | str:
    if not line:
        return TOO_LONG
    if _NUL in line:
        return NUL_BYTE
    try:
        record = _DECODER.decode(line)
    except (DecodeError, ValueError, RecursionError):
        return BROKEN
    return record if isinstance(record, dict) else NO_OBJECT


def _list_paths(record: dict[str, Any], before: str = "") -> Iterator[str]:
    for name, value in record.items():
        inner = value[0] if isinstance(value, list) and value else value
        if isinstance(inner, dict):
            yield from _list_paths(inner, f"{before}{name}.")
        else:
            yield f"{before}{name}"
