"""Parquet files: rows by number, fields by paths."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.errors import SourceError
from catalog.sources.parquet_rows import ParquetTable

TIME = datetime.fromisoformat("2020-01-02")


def ignore(stage: str, done: int, total: int | None) -> None:
    """Nobody watches."""


def read(path: Path, table: pa.Table, *columns: str) -> list[tuple[int, Any]]:
    pq.write_table(table, path)
    return list(ParquetTable(path).rows(columns, ignore))


def test_fields_are_read_whatever_their_type(tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": pa.array(["ash", None]).dictionary_encode(),
            "number": [1.5, None],
            "money": [Decimal("1.50"), None],
            "day": [date(2020, 1, 2), None],
            "time": pa.array([1_577_923_200_000_000_001, None], pa.timestamp("ns")),
            "list": [["a", "b"], None],
            "within": [{"name": {"first": "Ann"}}, None],
            "dotted.name": [1, 2],
        }
    )

    rows = read(tmp_path / "rows.parquet", table, "within.name.first", *table.column_names[:6], "dotted.name")

    assert rows == [
        (1, ("Ann", "ash", 1.5, Decimal("1.50"), date(2020, 1, 2), TIME, ["a", "b"], 1)),
        (2, (None,) * 7 + (2,)),
    ]  # fmt: skip
    assert "within.name.first" in ParquetTable(tmp_path / "rows.parquet").read_columns()


def test_rows_are_counted_across_batches(tmp_path: Path) -> None:
    rows = read(tmp_path / "rows.parquet", pa.table({"a": range(12_345)}), "a")

    assert rows == [(number + 1, (number,)) for number in range(12_345)]


def test_a_text_that_is_none_costs_its_row(tmp_path: Path) -> None:
    letters = pa.Array.from_buffers(
        pa.string(), 3, pa.array([b"a", b"\xff", b"c"]).buffers()
    )  # a program that does not check what it writes

    rows = read(tmp_path / "rows.parquet", pa.table({"a": letters}), "a")

    assert rows == [(1, ("a",)), (2, "bytes that are no text"), (3, ("c",))]


def spoil(path: Path, *, start: int, n: int) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:start] + b"\xff" * n + content[start + n :])


def test_a_file_that_cannot_be_read_is_named_with_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"a": [str(number) for number in range(30_000)]}), path)
    whole = path.read_bytes()

    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match=r"rows.parquet: cut off in the middle"):
        ParquetTable(path).read_columns()
    path.write_bytes(whole)
    spoil(path, start=4, n=len(whole) // 2)
    with pytest.raises(SourceError, match=r"rows.parquet, line \d+: expected Parquet, found .*damaged"):
        list(ParquetTable(path).rows(("a",), ignore))
    path.write_bytes(b"user,item\n")
    with pytest.raises(SourceError, match="expected Parquet, found b'user,item"):
        ParquetTable(path).read_columns()
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), path)
    with pytest.raises(SourceError, match="holds no rows"):
        ParquetTable(path).read_columns()
