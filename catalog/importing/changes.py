"""What an import changes in the catalog: rows that are already as they should be are only counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select


@dataclass
class Changes:
    """What became of one kind of rows."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0


def find_differing(
    connection: Connection, stored: Select[*tuple[Any, ...]], rows: Mapping[Any, tuple[Any, ...]]
) -> list[Any]:
    """Keys of the rows that are not what is stored; `stored` selects keys, then the values of the rows."""
    if not rows:
        return []
    key = stored.selected_columns[0]
    found = connection.execute(stored.where(key.in_(list(rows)))).all()
    same = {row[0] for row in found if rows[row[0]] == tuple(row[1:])}
    return [key for key in rows if key not in same]
