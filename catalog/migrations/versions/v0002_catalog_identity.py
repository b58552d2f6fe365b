"""An identity of the catalog, and readers' revisions that never repeat.

Older releases go on working: `alembic_version`, where they look, stays at the oldest schema that a program
must know. Every statement may be run twice, for databases that commit DDL by themselves.
"""

import secrets
from typing import Any

from alembic import context, op
from sqlalchemy import BigInteger, Column, Integer, String, column, table

revision: str = "0002"
down_revision: str | None = "0001"

_MYSQL: dict[str, Any] = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in (("engine", "InnoDB"), ("charset", "utf8mb4"), ("collate", "utf8mb4_bin"))
}


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "alembic_version", Column("version_num", String(32), primary_key=True), if_not_exists=True
    )
    _write_one_row("alembic_version", version_num="0001")
    op.create_table(
        "catalog_identity",
        Column("catalog_id", String(32), primary_key=True),
        Column("revision", BigInteger(), nullable=False, server_default="0"),
        if_not_exists=True,
        **_MYSQL,
    )
    _write_one_row("catalog_identity", catalog_id=secrets.token_hex(16))
    if context.get_context().dialect.name != "sqlite":  # where an INTEGER has 64 bits anyway
        op.alter_column(
            "users",
            "revision",
            type_=BigInteger(),
            existing_type=Integer(),
            existing_nullable=False,
            existing_server_default="0",
        )


def _write_one_row(name: str, **values: str) -> None:
    rows = table(name, *(column(each, String(32)) for each in values))
    op.execute(rows.delete())
    op.execute(rows.insert().values(**values))
