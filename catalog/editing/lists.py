"""Replaces an entry in many short lists at once, such as an author in the authors of each of their books."""

from collections import defaultdict
from typing import cast

from sqlalchemy import Connection, select
from sqlalchemy.orm import InstrumentedAttribute

from catalog.bulk import RowWriter
from catalog.tables import Base
from foundation.garbage import uncollected


@uncollected()  # an entry may be in the lists of half of all books
def replace_entry(
    connection: Connection,
    owner: InstrumentedAttribute[int],
    entry: InstrumentedAttribute[int],
    *,
    old: int,
    new: int | None,
) -> None:
    """Put `new` in the place of `old` in every list of a table, or nothing; no entry twice, and no gap.

    `owner` and `entry` are columns of the table, which also has a `position`.
    """
    table: type[Base] = cast("type[Base]", owner.class_)
    has_old = select(owner).where(entry == old)
    position = table.__table__.columns["position"]
    rows = connection.execute(select(owner, entry, position).where(owner.in_(has_old))).all()
    lists: dict[int, dict[int, int]] = defaultdict(dict)
    for owner_id, entry_id, place in rows:
        lists[owner_id][entry_id] = place
    key = (owner.key, entry.key)
    gone = RowWriter.deleting(connection, table, where=key)
    moved = RowWriter.updating(connection, table, "position", where=key)
    added = RowWriter.inserting(connection, table, *key, "position")
    for owner_id, before in lists.items():
        after = _replace(before, old, new)
        for entry_id in before.keys() - after.keys():
            gone.add(owner_id, entry_id)
        for entry_id, place in after.items():
            if entry_id not in before:
                added.add(owner_id, entry_id, place)
            elif before[entry_id] != place:
                moved.add(place, owner_id, entry_id)
    for writer in (gone, moved, added):
        writer.flush()


def _replace(positions: dict[int, int], old: int, new: int | None) -> dict[int, int]:
    """The entries with their places then."""
    in_order = sorted(positions, key=positions.__getitem__)
    replaced = (new if entry_id == old else entry_id for entry_id in in_order)
    return {entry_id: place for place, entry_id in enumerate(dict.fromkeys(filter(None, replaced)))}
