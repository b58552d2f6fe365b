"""What an import did, and the JSON file that keeps it."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter
from sqlalchemy import Connection, insert, select
from sqlalchemy.orm import Session

from catalog.importing.changes import Changes
from catalog.sources.row_log import FileReport
from catalog.tables import StoredReport


@dataclass(frozen=True)
class ImportReport:
    """What an import did."""

    source: str
    started_at: str
    """ISO 8601, UTC."""
    seconds: float
    files: list[FileReport]
    repairs: dict[str, int]
    """Values mended or left unknown, per kind."""
    totals: dict[str, int]
    """Rows of this source in the catalog after the import, and what became of them."""
    changes: dict[str, Changes]
    """What the import found new, changed and unchanged, per kind."""


def store_report(connection: Connection, report: ImportReport) -> None:
    """Keep the report in the catalog."""
    started_at = int(datetime.fromisoformat(report.started_at).timestamp())
    text = json.dumps(asdict(report), ensure_ascii=False)
    connection.execute(insert(StoredReport).values(source=report.source, started_at=started_at, report=text))


def read_reports(session: Session, *, source: str | None = None, last: int) -> list[ImportReport]:
    """The newest reports, of one source or all, the oldest of them first."""
    query = select(StoredReport.report).order_by(StoredReport.report_id.desc()).limit(last)
    if source is not None:
        query = query.where(StoredReport.source == source)
    return [TypeAdapter(ImportReport).validate_json(text) for text in session.scalars(query)][::-1]


def write_report(report: ImportReport, folder: Path) -> Path:
    """Write the report as JSON, named by source and start, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    stamp = report.started_at.replace("-", "").replace(":", "")
    path = folder / f"import-{report.source}-{stamp}.json"
    path.write_text(json.dumps(asdict(report), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
