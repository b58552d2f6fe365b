"""Damage to files of a mapping, JSON Lines and Parquet: it costs its rows, or the import as a whole."""

import gzip
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.database import Database
from catalog.errors import SourceError
from catalog.importing import ImportReport, import_source
from catalog.sources.generic import Generic
from catalog.sources.mapping import Mapping
from catalog.sources.row_log import RowLog
from tests.catalog.sources.lines import damaged, wrongly_typed
from tests.empty_catalogs import open_empty_catalog

REVIEWS, PRODUCTS = "reviews.jsonl.gz", "products.parquet"
MAPPING = Mapping.model_validate(
    {
        "ratings": {"file": REVIEWS, "user": "who.id", "rating": "stars"},
        "items": {"file": PRODUCTS, "authors": "by.name"},
    }
)
REVIEW_ROWS = [{"who": {"id": f"u{n}"}, "item": n % 9, "stars": n % 10 + 1, "tags": [n]} for n in range(40)]
PRODUCT_ROWS: list[dict[str, Any]] = [
    {"item": n, "title": f"Title {n}", "by": [{"name": "Ann"}], "year": 1999.0, "isbn": ["x"]}
    for n in range(9)
]
OTHER_TYPES = {
    "bytes": pa.array([b"\xff"] * 9),
    "objects": pa.array([{"a": 1}] * 9),
    "lists of lists": pa.array([[["a", None], []]] * 9),
    "durations": pa.array([1] * 9, pa.duration("s")),
    "nothing": pa.nulls(9),
    "times that no calendar has": pa.array([2**62] * 9, pa.timestamp("us", "UTC")),
    "numbers that are none": pa.array([float("nan"), float("inf"), -0.0] * 3),
    "maps": pa.array([[("a", 1)]] * 9, pa.map_(pa.string(), pa.int64())),
}
FUZZED = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with closing(open_empty_catalog(tmp_path_factory.mktemp("catalog") / "catalog.db")) as db:
        yield db


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_reviews(tmp_path, [json.dumps(row).encode() + b"\n" for row in REVIEW_ROWS])
    pq.write_table(pa.Table.from_pylist(PRODUCT_ROWS), tmp_path / PRODUCTS)
    return tmp_path


def write_reviews(folder: Path, lines: list[bytes]) -> None:
    (folder / REVIEWS).write_bytes(gzip.compress(b"".join(lines), 1))


def import_or_refuse(db: Database, folder: Path) -> ImportReport | None:
    """The report, whose rows add up; None if a file is refused as a whole."""
    try:
        return import_source(db, Generic(folder, MAPPING))
    except SourceError:
        return None


@given(data=st.data())
@FUZZED
def test_damaged_lines_are_dropped_with_a_reason_and_their_number(
    catalog: Database, folder: Path, data: st.DataObject
) -> None:
    lines = [json.dumps(row).encode() + b"\n" for row in REVIEW_ROWS]
    numbers = data.draw(st.sets(st.integers(1, len(lines) - 2), min_size=1, max_size=4))
    for number in numbers:
        typed = wrongly_typed(b"\t\t\t\t" + lines[number]).map(lambda line: line.lstrip(b"\t"))
        lines[number] = data.draw(st.one_of(damaged(lines[number]), typed))
    write_reviews(folder, lines)

    report = import_or_refuse(catalog, folder)

    assert report is not None
    told = [line for lines in report.files[-1].lines.values() for line in lines]
    assert min(told, default=len(lines)) > min(numbers)


@given(share=st.floats(0.01, 0.99), name=st.sampled_from([REVIEWS, PRODUCTS]))
@FUZZED
def test_a_file_that_is_cut_off_anywhere_is_refused(
    catalog: Database, folder: Path, share: float, name: str
) -> None:
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: int(share * len(whole))])

    report = import_or_refuse(catalog, folder)

    (folder / name).write_bytes(whole)
    assert report is None


@given(spoilt=st.dictionaries(st.floats(0, 1, exclude_max=True), st.integers(0, 255), min_size=1, max_size=5))
@settings(FUZZED, max_examples=40)
def test_spoilt_bytes_cost_rows_or_the_import(
    catalog: Database, folder: Path, spoilt: dict[float, int]
) -> None:
    whole = (folder / PRODUCTS).read_bytes()
    content = bytearray(whole)
    for place, byte in spoilt.items():
        content[int(place * len(whole))] = byte
    (folder / PRODUCTS).write_bytes(content)

    import_or_refuse(catalog, folder)  # raises nothing else

    (folder / PRODUCTS).write_bytes(whole)


@pytest.mark.parametrize("column", PRODUCT_ROWS[0])
@pytest.mark.parametrize("kind", OTHER_TYPES)
def test_a_column_of_any_type_is_read_or_its_rows_are_dropped(folder: Path, column: str, kind: str) -> None:
    table = pa.Table.from_pylist(PRODUCT_ROWS)
    pq.write_table(
        table.set_column(table.column_names.index(column), column, OTHER_TYPES[kind]), folder / PRODUCTS
    )
    log = RowLog(lambda *_: None)

    try:
        source = Generic(folder, MAPPING)
    except SourceError as error:
        assert f"a column '{'by.name' if column == 'by' else column}'" in str(error)
        return
    n_works = len(list(source.works(log)))
    list(source.editions(log))

    report = log._files[PRODUCTS]
    assert n_works + sum(report.dropped.values()) == len(PRODUCT_ROWS)


def test_a_field_of_10_mb_costs_its_row(catalog: Database, folder: Path) -> None:
    rows = [*PRODUCT_ROWS, {**PRODUCT_ROWS[0], "item": 99, "title": "x" * 10_000_000}]
    pq.write_table(pa.Table.from_pylist(rows), folder / PRODUCTS)

    report = import_or_refuse(catalog, folder)

    assert report is not None
    assert report.files[0].dropped == {"field too long": 1}
    assert report.files[0].lines == {"field too long": [10]}
