"""An identity of the catalog, and readers' revisions that never repeat.

Older releases go on working: `alembic_version`, where they look, stays at the oldest schema that a program
must know. Every statement may be run twice, for databases that commit DDL by themselves.
"""

import secrets

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, String, column, table

from catalog.migrations.operations import create_table, is_sqlite

revision: str = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    """Apply this revision."""
    create_table("alembic_version", Column("version_num", String(32), primary_key=True), options={})
    _write_one_row("alembic_version", version_num="0001")
    create_table(
        "catalog_identity",
        Column("catalog_id", String(32), primary_key=True),
        Column("revision", BigInteger(), nullable=False, server_default="0"),
    )
    _write_one_row("catalog_identity", catalog_id=secrets.token_hex(16))
    if not is_sqlite():  # where an INTEGER has 64 bits anyway
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
