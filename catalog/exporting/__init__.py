"""Writes the whole catalog to a folder, and reads it back: a backup, and the way to another database."""

from catalog.exporting.description import FileFormat
from catalog.exporting.export import export_catalog
from catalog.exporting.restore import restore_catalog

__all__ = ["FileFormat", "export_catalog", "restore_catalog"]
