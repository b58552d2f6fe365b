"""The scale that every source's ratings were given on, as the catalog keeps it."""

from sqlalchemy import Connection, insert, select, update

from catalog.errors import ScaleChanged
from catalog.sources.scale import Scale
from catalog.tables import StoredSource


def read_scales(connection: Connection) -> dict[str, Scale]:
    """The scale of every source that anything was imported of since 0.4.0, by its name."""
    stored = connection.execute(select(*StoredSource.__table__.columns)).all()
    return {row.name: Scale(row.lowest, row.highest, row.implicit, row.is_whole) for row in stored}


def read_scale(connection: Connection, source: str) -> Scale | None:
    """A source's scale; None for one that nothing was imported of since 0.4.0."""
    return read_scales(connection).get(source)


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
