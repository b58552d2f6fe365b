"""Which of several ratings of one reader counts, where books turn out to be one: in SQL, for all at once.

`choose_best` in `catalog.importing.rating_columns` decides the same of the ratings of a dump (ADR 10).
"""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    SQLColumnExpression,
    and_,
    case,
    func,
    insert,
    or_,
    select,
)

from catalog.tables import Rating

_COLUMNS = ("user_id", "book_id", "rating", "rated_at", "given_here", "created_at")


def is_given_here(
    given_here: SQLColumnExpression[Any], rated_at: SQLColumnExpression[Any]
) -> ColumnElement[bool]:
    """Whether the reader gave it in the app; of those written before we kept that, a dated one counts so."""
    return or_(given_here.is_(True), and_(given_here.is_(None), rated_at.is_not(None)))


def insert_best(connection: Connection, several: Select[*tuple[Any, ...]]) -> None:
    """Write of the selected ratings, with all of their columns, one for each reader and book.

    Of dated ones only the newest counts. Of that and those without a date one that was given here goes first,
    then the highest explicit one.
    """
    each = several.subquery()
    newest_at = func.max(each.c.rated_at).over(partition_by=(each.c.user_id, each.c.book_id))
    row = select(*each.c, newest_at.label("newest_at")).subquery().c
    order = (
        case((row.rated_at < row.newest_at, 1), else_=0),
        case((is_given_here(row.given_here, row.rated_at), 0), else_=1),
        func.coalesce(row.rating, 0).desc(),
        func.coalesce(row.rated_at, -1).desc(),
    )
    place = func.row_number().over(partition_by=(row.user_id, row.book_id), order_by=order)
    ranked = select(*(row[name] for name in _COLUMNS), place.label("place")).subquery().c
    best = select(*(ranked[name] for name in _COLUMNS)).where(ranked.place == 1)
    connection.execute(insert(Rating).from_select(_COLUMNS, best))
