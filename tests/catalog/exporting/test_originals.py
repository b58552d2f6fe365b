"""An export tells every rating as its source gave it, whatever the scale."""

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
from sqlalchemy import delete

from catalog.database import Database
from catalog.exporting import FileFormat, export_catalog, restore_catalog
from catalog.importing import import_source
from catalog.ratings import put_rating
from catalog.tables import StoredSource
from tests.catalog.shelf import SCALES, ListSource, edition, one_book, rating


def read_ratings(folder: Path, file_format: FileFormat) -> pa.Table:
    path = folder / f"ratings.{file_format}"
    if file_format is FileFormat.PARQUET:
        return pq.read_table(path)
    as_text = pc.ConvertOptions(column_types={"original_rating": pa.string()})
    return pc.read_csv(path, convert_options=as_text)


@pytest.mark.parametrize("file_format", list(FileFormat))
def test_an_export_tells_every_rating_of_every_scale_as_it_was_given(
    db: Database, tmp_path: Path, file_format: FileFormat
) -> None:
    for name, (scale, values) in SCALES.items():
        import_source(db, one_book(name, scale, values))

    export_catalog(db, tmp_path / "export", file_format)

    ratings = read_ratings(tmp_path / "export", file_format)
    told = zip(ratings["source"].to_pylist(), ratings["original_rating"].to_pylist(), strict=True)
    given = [(name, float(value)) for name, (_, values) in SCALES.items() for value in values]
    assert sorted((source, float(original)) for source, original in told) == sorted(given)


def test_a_rating_that_was_used_and_not_judged_is_told_as_its_source_does(
    sqlite: Database, tmp_path: Path
) -> None:
    import_source(sqlite, ListSource(edition_list=[edition(1, "Ash")], rating_list=[rating("1", 1, "0")]))

    export_catalog(sqlite, tmp_path / "export", FileFormat.CSV)

    [row] = read_ratings(tmp_path / "export", FileFormat.CSV).to_pylist()
    assert (row["rating"], row["source"], row["original_rating"]) == (None, "lists", "0")


def test_a_rating_of_the_app_or_of_an_unknown_scale_has_no_original(sqlite: Database, tmp_path: Path) -> None:
    ratings = [rating("1", 1, "9"), rating("2", 1, "9")]
    import_source(sqlite, ListSource(edition_list=[edition(1, "Ash")], rating_list=ratings))
    with sqlite.session(write=True) as session:
        put_rating(session, 1, 1, 3.0)
        session.execute(delete(StoredSource))

    export_catalog(sqlite, tmp_path / "export", FileFormat.PARQUET)
    restore_catalog(sqlite, tmp_path / "export")

    rows = read_ratings(tmp_path / "export", FileFormat.PARQUET).to_pylist()
    assert [(row["rating"], row["source"], row["original_rating"]) for row in rows] == [
        (3.0, None, None),
        (9.0, "lists", None),
    ]
