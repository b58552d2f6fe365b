"""Cleans what a source yields and writes it to the catalog, in one transaction."""

from catalog.importing.report import ImportReport, write_report
from catalog.importing.run import import_source

__all__ = ["ImportReport", "import_source", "write_report"]
