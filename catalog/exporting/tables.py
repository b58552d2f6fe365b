"""Which tables an export holds."""

from typing import Final

from catalog.tables import Base, Job

LEFT_OUT: Final = frozenset({Job.__tablename__})
"""What an installation has to do; what must not leave it, such as readers' addresses, would be listed too."""


def list_tables() -> dict[str, type[Base]]:
    """The tables of an export by name, each after those that it refers to."""
    classes = {mapper.local_table: mapper.class_ for mapper in Base.registry.mappers}
    return {table.name: classes[table] for table in Base.metadata.sorted_tables if table.name not in LEFT_OUT}
