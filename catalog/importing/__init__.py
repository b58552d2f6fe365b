"""Cleans what a source yields and writes it to the catalog, in one transaction."""

from catalog.importing.preview import (
    Preview,
    check_importable,
    has_books,
    preview_source,
    temporary_catalog,
)
from catalog.importing.report import ImportReport, write_report
from catalog.importing.run import import_source

__all__ = [
    "ImportReport",
    "Preview",
    "check_importable",
    "has_books",
    "import_source",
    "preview_source",
    "temporary_catalog",
    "write_report",
]
