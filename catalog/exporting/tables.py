"""Which tables an export holds."""

from typing import Final

from catalog.tables import Account, ApiKey, AuditEntry, Base, Job, OneTimeToken, TokenFamily

OF_ACCOUNTS: Final = (Account, TokenFamily, OneTimeToken)
"""Readers' addresses, and what they log in with: a restored catalog keeps its own."""
LEFT_OUT: Final = frozenset(each.__tablename__ for each in (*OF_ACCOUNTS, ApiKey, AuditEntry, Job))
"""What an installation has to do and has done, and what must not leave it."""


def list_tables() -> dict[str, type[Base]]:
    """The tables of an export by name, each after those that it refers to."""
    classes = {mapper.local_table: mapper.class_ for mapper in Base.registry.mappers}
    return {table.name: classes[table] for table in Base.metadata.sorted_tables if table.name not in LEFT_OUT}
