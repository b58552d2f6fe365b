"""The log of what admins did, and operators by command; entries are added and never changed."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from catalog.tables import AuditEntry


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that was done."""

    entry_id: int
    at: int
    """Seconds since 1970 UTC."""
    actor: str
    action: str
    target: str
    detail: dict[str, Any]


def record(
    session: Session, actor: str, action: str, target: str, detail: Mapping[str, Any] | None = None
) -> None:
    """Note an action in the transaction that does it; neither target nor detail may hold e-mail or name."""
    values = {"actor": actor, "action": action, "target": target}
    text = json.dumps(detail or {}, sort_keys=True)
    session.execute(insert(AuditEntry).values(**values, at=int(time.time()), detail=text))


def list_entries(
    session: Session, *, limit: int, offset: int, since: int | None = None, **equal: str | None
) -> tuple[int, list[Entry]]:
    """How many entries there are of an `actor`, an `action`, a `target`, and a page of them, newest first."""
    conditions = [getattr(AuditEntry, name) == value for name, value in equal.items() if value is not None]
    if since is not None:
        conditions.append(AuditEntry.at >= since)
    total = session.scalar(select(func.count()).select_from(AuditEntry).where(*conditions)) or 0
    page = select(AuditEntry).where(*conditions).order_by(AuditEntry.entry_id.desc())
    entries = session.scalars(page.limit(limit).offset(offset))
    return total, [
        Entry(each.entry_id, each.at, each.actor, each.action, each.target, json.loads(each.detail))
        for each in entries
    ]
