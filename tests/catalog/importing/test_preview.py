"""A dry run tells what an import would do, and leaves no trace."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.database import Database, open_database
from catalog.demo.source import Demo
from catalog.errors import ScaleChanged, SourceError
from catalog.importing import check_importable, import_source, preview_source
from catalog.importing.preview import RatingPreview
from catalog.sources.records import RawRating
from catalog.sources.row_log import RowLog
from catalog.sources.scale import Scale
from tests.catalog.shelf import ListSource, edition, rating, work


def test_a_preview_is_what_an_import_into_an_empty_catalog_reports(sqlite: Database) -> None:
    preview = preview_source(Demo(users=20, ratings=200))

    report = import_source(sqlite, Demo(users=20, ratings=200))
    assert (preview.report.files, preview.report.totals) == (report.files, report.totals)
    assert len(preview.books) == len(preview.ratings) == 10


def test_books_and_ratings_are_shown_as_they_become() -> None:
    source = ListSource(
        work_list=[work("a", "Ash &amp; Oak", "Birch, Ann", "Ghost stories", "Ghosts", year=1999)],
        edition_list=[edition(1, "Ash &amp; Oak", of="a")],
        rating_list=[rating("ada", 1, "4"), rating("bob", 1, "")],
        scale=Scale(1, 5),
    )

    preview = preview_source(source)

    [book] = preview.books
    assert (book.title, book.authors, book.year, book.subjects) == (
        "Ash & Oak", ("Birch, Ann",), 1999, ("Ghosts",),
    )  # fmt: skip
    assert preview.ratings == [
        RatingPreview("ada", "Ash & Oak", "4", 7.75), RatingPreview("bob", "Ash & Oak", "", None)
    ]  # fmt: skip


def test_a_preview_that_fails_leaves_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Broken(ListSource):
        def ratings(self, log: RowLog) -> Iterator[RawRating]:
            raise SourceError(Path("ratings.csv"), "cut off", line=7)

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    with pytest.raises(SourceError, match=r"ratings.csv, line 7: cut off"):
        preview_source(Broken(edition_list=[edition(1, "Ash")]))

    assert list(tmp_path.iterdir()) == []


def test_what_an_import_would_refuse_at_once_a_dry_run_refuses_too(db: Database) -> None:
    source = ListSource(edition_list=[edition(1, "Ash")], rating_list=[rating("ada", 1, "4")])
    import_source(db, source)

    check_importable(db, source)
    source.scale = Scale(1, 5)
    with pytest.raises(ScaleChanged):
        check_importable(db, source)


def test_a_catalog_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    db = open_database(f"sqlite:///{tmp_path / 'catalog.db'}")

    check_importable(db, ListSource())

    db.close()
    assert list(tmp_path.iterdir()) == []
