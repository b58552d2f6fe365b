"""Cleans what a source yields and writes it to the catalog, in one transaction."""

from catalog.importing.report import FileReport, ImportReport, Progress, write_report
from catalog.importing.run import import_source

__all__ = ["FileReport", "ImportReport", "Progress", "import_source", "write_report"]
