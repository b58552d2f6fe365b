"""`bookmesh data`: what it shows adds up, and what it writes can be read back, in another home too."""

import json
import sqlite3
from pathlib import Path

from tests.homes import N_READERS, Home


def read_books(home: Home) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(home.path / "catalog.db")
    try:
        return connection.execute("SELECT * FROM books ORDER BY book_id").fetchall()
    finally:
        connection.close()


def test_a_home_moves_by_an_export(imported_home: Home, empty_home: Home, tmp_path: Path) -> None:
    written = imported_home.succeed("data", "export", str(tmp_path / "export"), "--format", "csv")
    read = empty_home.succeed("import", "export", str(tmp_path / "export"))

    description = json.loads((tmp_path / "export" / "export.json").read_text())
    n_rows = f"{sum(table['n_rows'] for table in description['tables']):,} rows"
    assert n_rows in written
    assert n_rows in read
    assert read_books(empty_home) == read_books(imported_home)


def test_a_dry_run_reads_an_export_and_writes_nothing(
    imported_home: Home, empty_home: Home, tmp_path: Path
) -> None:
    imported_home.succeed("data", "export", str(tmp_path / "export"))

    told = empty_home.succeed("import", "export", str(tmp_path / "export"), "--dry-run")

    assert "the catalog would be as it was" in told
    assert not (empty_home.path / "catalog.db").exists()


def test_an_export_that_cannot_be_read_back_is_told_in_a_sentence(empty_home: Home, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()

    message = empty_home.fail("import", "export", str(tmp_path / "photos"))

    assert "export.json: No such file or directory; nothing was imported" in message


def test_a_catalog_that_is_not_there_is_not_exported(empty_home: Home, tmp_path: Path) -> None:
    message = empty_home.fail("data", "export", str(tmp_path / "export"))

    assert "has no tables yet" in message
    assert not (tmp_path / "export").exists()


def test_a_report_shows_the_last_import_and_the_catalog_in_80_columns(imported_home: Home) -> None:
    shown = imported_home.succeed("data", "report", COLUMNS="80")

    assert "Import of demo" in shown
    assert f"{N_READERS:,}" in shown
    assert "█" in shown
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= 80


def test_a_report_as_json_adds_up(imported_home: Home) -> None:
    told = json.loads(imported_home.succeed("data", "report", "--json"))

    (report,), catalog = told["imports"], told["catalog"]
    assert all(file["n_read"] == file["n_kept"] + sum(file["dropped"].values()) for file in report["files"])
    assert catalog["rows"]["books"] == report["totals"]["books"] == sum(catalog["years"].values())
    assert catalog["rows"]["of these explicit"] == sum(catalog["ratings"].values())


def test_a_report_of_an_empty_catalog_says_so(empty_home: Home) -> None:
    empty_home.succeed("migrate")

    assert json.loads(empty_home.succeed("data", "report", "--json"))["catalog"]["rows"]["books"] == 0
    assert "The catalog" in empty_home.succeed("data", "report")
