"""The log of what admins did, and operators by command; entries are added and never changed."""

import json
import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from catalog.tables import AuditEntry


def record(
    session: Session, actor: str, action: str, target: str, detail: Mapping[str, Any] | None = None
) -> None:
    """Note an action in the transaction that does it; neither target nor detail may hold e-mail or name."""
    values = {"actor": actor, "action": action, "target": target}
    text = json.dumps(detail or {}, sort_keys=True)
    session.execute(insert(AuditEntry).values(**values, at=int(time.time()), detail=text))
