"""Which tables an export holds, and a backup."""

from typing import Final

from catalog.tables import Account, ApiKey, AuditEntry, Base, Job, OneTimeToken, TokenFamily

LOG_INS: Final = (TokenFamily, OneTimeToken)
"""What readers are logged in with: what was ended since must not come back."""
OF_ACCOUNTS: Final = (Account, *LOG_INS)
"""Readers' addresses, and what they log in with: a catalog that is restored by an export keeps its own."""
PRIVATE: Final = frozenset(each.__tablename__ for each in (Account, ApiKey, AuditEntry))
"""What must not leave an installation, but with its backups."""
NEVER: Final = frozenset(each.__tablename__ for each in (*LOG_INS, Job))


def list_tables(*, private: bool = False) -> dict[str, type[Base]]:
    """The tables of an export by name, with the private ones those of a backup.

    Each comes after those that it refers to.
    """
    left_out = NEVER if private else NEVER | PRIVATE
    classes = {mapper.local_table: mapper.class_ for mapper in Base.registry.mappers}
    return {table.name: classes[table] for table in Base.metadata.sorted_tables if table.name not in left_out}
