"""Hands out ids: rows that are stored keep theirs, new ones get the next."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, func, select

from catalog.tables import EXTERNAL_ID_LENGTH


class Ids:
    """Ids of one table's rows by a key of theirs, for example a source's external id."""

    def __init__(self, stored: dict[str, int], *, first_new: int) -> None:
        self._ids, self._next = stored, first_new

    def get(self, key: str) -> int | None:
        """The id of a key that has one."""
        return self._ids.get(key)

    def get_or_create(self, key: str) -> tuple[int, bool]:
        """The id of a key, and whether it is new."""
        known = self._ids.get(key)
        if known is not None:
            return known, False
        new = self._ids[key] = self._next
        self._next += 1
        return new, True


def is_usable_id(external_id: str) -> bool:
    """Whether an id is there and fits its column."""
    return 0 < len(external_id) <= EXTERNAL_ID_LENGTH


def read_ids(
    connection: Connection,
    stored: Any,
    column: Any,
    *,
    aliases: Mapping[str, int] = MappingProxyType({}),
    below: int | None = None,
) -> Ids:
    """Ids that continue those of `column`; `stored` selects keys with their ids, `aliases` go before them.

    Ids from `below` on are handed out by somebody else.
    """
    query = select(func.max(column))
    largest = connection.scalar(query if below is None else query.where(column < below))
    return Ids(read_dict(connection, stored) | dict(aliases), first_new=(largest or 0) + 1)


def read_dict(connection: Connection, query: Any) -> dict[Any, Any]:
    """A query's two columns as a dictionary."""
    return dict(connection.execute(query).all())  # .all(): dict() would take the result itself for a mapping
