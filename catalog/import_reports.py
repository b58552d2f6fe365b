"""What imports have told of themselves, as it is kept; light, for processes that import nothing."""

import json
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.tables import StoredReport


def list_import_reports(session: Session, *, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
    """How many reports are kept, and a page of them, the newest first."""
    total = session.scalar(select(func.count()).select_from(StoredReport)) or 0
    page = select(StoredReport).order_by(StoredReport.report_id.desc()).limit(limit).offset(offset)
    return total, [_parse(row) for row in session.scalars(page)]


def read_import_report(session: Session, report_id: int) -> dict[str, Any] | None:
    """An `ImportReport` with its `report_id`; None if there is none of this id."""
    row = session.get(StoredReport, report_id)
    return None if row is None else _parse(row)


def _parse(row: StoredReport) -> dict[str, Any]:
    return {"report_id": row.report_id, **json.loads(row.report)}
