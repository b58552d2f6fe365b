"""JSON Lines: an object a line, read by paths."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import SourceError
from catalog.sources.json_rows import JsonTable, dig


def ignore(stage: str, done: int, total: int | None) -> None:
    """Nobody watches."""


def read(path: Path, content: bytes, *columns: str) -> list[tuple[int, Any]]:
    path.write_bytes(content)
    return list(JsonTable(path).rows(columns, ignore))


@pytest.mark.parametrize(
    ("value", "path", "found"),
    [
        ({"a": 1}, "a", 1),
        ({"a": {"b": {"c": "x"}}}, "a.b.c", "x"),
        ({"a": [{"b": 1}, {"b": 2}, {}]}, "a.b", [1, 2, None]),
        ({"a": [[{"b": 1}]]}, "a.b", [[1]]),
        ({"a": None}, "a.b", None),
        ({"a": 5}, "a.b", None),
        ({}, "a", None),
    ],
)
def test_a_path_leads_through_objects_and_lists(value: dict[str, Any], path: str, found: Any) -> None:
    assert dig(value, tuple(path.split("."))) == found


def test_each_damaged_line_is_dropped_with_a_reason(tmp_path: Path) -> None:
    lines = [
        b'\xef\xbb\xbf{"a": 1}', b"", b'{"a": ', b"[1]", b'{"a": "x\\u0000"}', b'{"a": "\xff"}',
        b'{"a": NaN}',
        b"[" * 100_000, b'{"a": "' + b"x" * (1 << 24) + b'"}', b'  {"a": "\xc3\xab"} ',
    ]  # fmt: skip

    rows = read(tmp_path / "rows.jsonl", b"\r\n".join(lines), "a")

    assert rows == [
        (1, (1,)), (3, "broken JSON"), (4, "no JSON object"), (5, "NUL byte"), (6, "broken JSON"),
        (7, "broken JSON"), (8, "broken JSON"), (9, "line too long"), (10, ("ë",)),
    ]  # fmt: skip


def test_columns_are_the_paths_of_the_first_records(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    records: list[dict[str, Any]] = [{"a": {"b": 1, "c": [{"d": 2}]}}, {"e": [1], "f": []}]
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records))

    assert JsonTable(path).read_columns() == ["a.b", "a.c.d", "e", "f"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no rows"),
        (b"\n \n", "holds no rows"),
        (b"user,item\n1,2\n", "line 1: expected JSON Lines, an object in each line, found"),
        (b'[\n{"a": 1}\n]\n', "line 1: expected JSON Lines.*write one object a line"),
        ('{"a": 1}\n'.encode("utf-16"), "found text in utf-16; save it as UTF-8"),
        (b"PK\x03\x04...", "found a zip archive; unpack it"),
        (b'{"a": 1}\n{"a": 2', "line 2: cut off in the middle"),
        (gzip.compress(b'{"a": 1}\n' * 999)[:-20], r"line \d+: cut off in the middle"),
        (gzip.compress(b'{"a": 1}\n')[:-8] + bytes(8), "line 1: expected gzip, found CRC check failed"),
        (gzip.compress(b""), "holds no rows"),
    ],
)
def test_what_is_no_file_of_json_lines_is_called_what_it_is(
    tmp_path: Path, content: bytes, message: str
) -> None:
    with pytest.raises(SourceError, match=rf"rows.jsonl.*{message}"):
        read(tmp_path / "rows.jsonl", content, "a")
