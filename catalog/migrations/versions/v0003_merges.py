"""What undoes a merge, which ratings were taken back, and which were given here and not in a dump."""

from typing import Any

from alembic import context, op
from sqlalchemy import BigInteger, Boolean, Column, Double, ForeignKey, Integer, String

revision: str = "0003"
down_revision: str | None = "0002"

_CLUSTERED: dict[str, Any] = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in (("engine", "InnoDB"), ("charset", "utf8mb4"), ("collate", "utf8mb4_bin"))
} | {"sqlite_with_rowid": False}


def upgrade() -> None:
    """Apply this revision."""
    _create(
        "withdrawn_ratings",
        Column("user_id", Integer(), ForeignKey("users.user_id"), primary_key=True),
        Column("book_id", Integer(), ForeignKey("books.book_id"), primary_key=True, index=True),
        Column("withdrawn_at", BigInteger(), nullable=False),
    )
    _create(
        "merges",
        Column("merge_id", Integer(), primary_key=True, autoincrement=False),
        Column("book_id", Integer(), ForeignKey("books.book_id"), nullable=False, index=True),
        Column("heir_id", Integer(), ForeignKey("books.book_id"), nullable=False, index=True),
        Column("merged_at", BigInteger(), nullable=False),
    )
    _create("merged_books", _merge_id(), Column("book_id", Integer(), primary_key=True))
    _create("merged_editions", _merge_id(), Column("isbn13", String(13), primary_key=True))
    _create("merged_events", _merge_id(), Column("event_id", BigInteger(), primary_key=True))
    _create(
        "merged_subjects",
        _merge_id(),
        Column("subject_id", Integer(), primary_key=True),
        Column("position", Integer(), nullable=False),
    )
    _create(
        "merged_ratings",
        _merge_id(),
        Column("user_id", Integer(), primary_key=True),
        Column("book_id", Integer(), primary_key=True),
        Column("rating", Double()),
        Column("rated_at", BigInteger()),
        Column("given_here", Boolean()),
    )
    _add("ratings", Column("given_here", Boolean()))
    _add("books", Column("split_from", Integer()))


def _merge_id() -> Column[int]:
    return Column("merge_id", Integer(), ForeignKey("merges.merge_id"), primary_key=True)


def _create(name: str, *columns: Column[Any]) -> None:
    op.create_table(name, *columns, if_not_exists=True, **_CLUSTERED)


def _add(table: str, column: Column[Any]) -> None:
    # For a migration that is run again after an interruption; MySQL, unlike MariaDB, cannot say it.
    dialect = context.get_context().dialect
    op.add_column(table, column, if_not_exists=getattr(dialect, "is_mariadb", False) or None)
