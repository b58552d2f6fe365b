"""What undoes a merge, which ratings were taken back, and which were given here and not in a dump."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Double, ForeignKey, Integer, String

from catalog.migrations.operations import CLUSTERED, add_columns, create_table

revision: str = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    """Apply this revision."""
    create_table(
        "withdrawn_ratings",
        Column("user_id", Integer(), ForeignKey("users.user_id"), primary_key=True),
        Column("book_id", Integer(), ForeignKey("books.book_id"), primary_key=True),
        Column("withdrawn_at", BigInteger(), nullable=False),
        indexes=[["book_id"]],
        options=CLUSTERED,
    )
    create_table(
        "merges",
        Column("merge_id", Integer(), primary_key=True, autoincrement=False),
        Column("book_id", Integer(), ForeignKey("books.book_id"), nullable=False),
        Column("heir_id", Integer(), ForeignKey("books.book_id"), nullable=False),
        Column("merged_at", BigInteger(), nullable=False),
        indexes=[["book_id"], ["heir_id"]],
        options=CLUSTERED,
    )
    _create_kept("books", Column("book_id", Integer(), primary_key=True))
    _create_kept("editions", Column("isbn13", String(13), primary_key=True))
    _create_kept("events", Column("event_id", BigInteger(), primary_key=True))
    _create_kept(
        "subjects",
        Column("subject_id", Integer(), primary_key=True),
        Column("position", Integer(), nullable=False),
    )
    _create_kept(
        "ratings",
        Column("user_id", Integer(), primary_key=True),
        Column("book_id", Integer(), primary_key=True),
        Column("rating", Double()),
        Column("rated_at", BigInteger()),
        Column("given_here", Boolean()),
    )
    add_columns("ratings", Column("given_here", Boolean()))
    add_columns("books", Column("split_from", Integer()))


def _create_kept(what: str, *columns: Column[Any]) -> None:
    merge_id = Column("merge_id", Integer(), ForeignKey("merges.merge_id"), primary_key=True)
    create_table(f"merged_{what}", merge_id, *columns, options=CLUSTERED)
