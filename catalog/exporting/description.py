"""The small JSON file beside the tables of an export, which tells what they are and that they are whole."""

import hashlib
from enum import StrEnum
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError

from catalog.errors import ExportDamaged, ExportTooNew
from catalog.exporting.tables import list_tables
from foundation.release import RELEASE

DESCRIPTION: Final = "export.json"
_NO_EXPORT: Final = f"its {DESCRIPTION} is not one that `bookmesh data export` writes"


class FileFormat(StrEnum):
    """How the tables are written."""

    PARQUET = "parquet"
    CSV = "csv"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class TableFile(_Frozen):
    """One table's file, `<name>.<format>`."""

    name: str
    columns: tuple[str, ...]
    """The table's own; the file may tell more, for whoever reads it otherwise."""
    n_rows: NonNegativeInt
    sha256: str


class Description(_Frozen):
    """What an export is."""

    what: Literal["bookmesh catalog"] = "bookmesh catalog"
    release: str = RELEASE
    schema_revision: str
    catalog_id: str
    exported_at: str
    """ISO 8601, UTC."""
    file_format: FileFormat
    tables: tuple[TableFile, ...]

    def path(self, folder: Path, table: str) -> Path:
        """The file of a table."""
        return folder / f"{table}.{self.file_format}"


def write_description(description: Description, folder: Path) -> None:
    """Write it, as the last file of an export."""
    (folder / DESCRIPTION).write_text(description.model_dump_json(indent=2) + "\n", encoding="utf-8")


def read_description(folder: Path) -> Description:
    """What the export in a folder is. Raises ExportDamaged."""
    try:
        return Description.model_validate_json((folder / DESCRIPTION).read_bytes())
    except OSError as error:
        raise ExportDamaged(folder / DESCRIPTION, error.strerror or "cannot be read") from error
    except ValidationError as error:
        raise ExportDamaged(folder / DESCRIPTION, _NO_EXPORT) from error


def check_export(description: Description, folder: Path) -> None:
    """Raise ExportTooNew if this program cannot hold all of it, ExportDamaged if a file has changed."""
    known = list_tables(private=True)
    for table in description.tables:
        if table.name not in known or not set(table.columns) <= {*known[table.name].__table__.columns.keys()}:
            raise ExportTooNew(folder, made_by=description.release, program=RELEASE)
    for table in description.tables:
        path = description.path(folder, table.name)
        try:
            digest = read_digest(path)
        except OSError as error:
            raise ExportDamaged(path, error.strerror or "cannot be read") from error
        if digest != table.sha256:
            raise ExportDamaged(path, f"sha256 {digest[:12]}, {DESCRIPTION} says {table.sha256[:12]}")


def read_digest(path: Path) -> str:
    """The sha256 of a file's content, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
