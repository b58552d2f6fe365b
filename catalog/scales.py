"""The scale that every source's ratings were given on, as the catalog keeps it."""

from sqlalchemy import Connection, insert, select, update

from catalog.errors import ScaleChanged
from catalog.sources.scale import Scale
from catalog.tables import StoredSource


def read_scale(connection: Connection, source: str) -> Scale | None:
    """A source's scale; None for one that nothing was imported of since 0.4.0."""
    columns = (StoredSource.lowest, StoredSource.highest, StoredSource.implicit, StoredSource.is_whole)
    stored = connection.execute(select(*columns).where(StoredSource.name == source)).one_or_none()
    return None if stored is None else Scale(*stored)


def check_scale(source: str, scale: Scale, *, stored: Scale | None) -> None:
    """Raise ScaleChanged if the same ratings would mean something else than those that are stored."""
    if stored is not None and stored.range != scale.range:
        raise ScaleChanged(source, stored=stored.range, found=scale.range)


def write_scale(connection: Connection, source: str, scale: Scale) -> None:
    """Keep a source's scale. Raises ScaleChanged."""
    stored = read_scale(connection, source)
    check_scale(source, scale, stored=stored)
    values = {
        "lowest": scale.lowest, "highest": scale.highest, "implicit": scale.implicit, "is_whole": scale.whole
    }  # fmt: skip
    if stored is None:
        connection.execute(insert(StoredSource).values(name=source, **values))
    else:
        connection.execute(update(StoredSource).where(StoredSource.name == source).values(**values))
