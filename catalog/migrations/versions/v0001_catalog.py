"""The catalog's first schema: readers, works, editions, subjects, ratings and events.

Keys and indexes are named by the convention of `catalog.tables.Base`.
"""

from typing import Any

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.schema import SchemaItem

from catalog.migrations.operations import sort_by_code_points

revision: str = "0001"
down_revision: str | None = None

_MYSQL: dict[str, Any] = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in (("engine", "InnoDB"), ("charset", "utf8mb4"), ("collate", "utf8mb4_bin"))
}
_CLUSTERED: dict[str, Any] = {**_MYSQL, "sqlite_with_rowid": False}


def upgrade() -> None:
    """Apply this revision."""
    _create_table(
        "authors",
        Column("author_id", Integer(), primary_key=True),
        Column("name", String(200), nullable=False),
        Column("name_key", String(200), nullable=False, unique=True),
        **_MYSQL,
    )
    _create_table(
        "subjects",
        Column("subject_id", Integer(), primary_key=True),
        Column("name", String(200), nullable=False, unique=True),
        Column("is_generic", Boolean(), nullable=False),
        Column("n_books", Integer(), nullable=False, server_default="0"),
        **_MYSQL,
    )
    _create_table(
        "users",
        Column("user_id", Integer(), primary_key=True),
        Column("source", String(40), nullable=False),
        Column("external_id", String(64), nullable=False),
        Column("age_group", String(10)),
        Column("country", String(60)),
        Column("revision", Integer(), nullable=False, server_default="0"),
        UniqueConstraint("source", "external_id"),
        **_MYSQL,
    )
    _create_table(
        "books",
        Column("book_id", Integer(), primary_key=True),
        Column("source", String(40), nullable=False),
        Column("external_id", String(64), nullable=False),
        Column("title", String(500), nullable=False),
        Column("year", Integer()),
        Column("language", String(3)),
        Column("description", Text()),
        Column("main_subject_id", Integer(), ForeignKey("subjects.subject_id")),
        Column("replaced_by", Integer(), ForeignKey("books.book_id"), index=True),
        UniqueConstraint("source", "external_id"),
        **_MYSQL,
    )
    _create_table(
        "subject_aliases",
        Column("raw", String(500), primary_key=True),
        Column("subject_id", Integer(), ForeignKey("subjects.subject_id"), nullable=False, index=True),
        **_MYSQL,
    )
    _create_table(
        "user_subjects",
        Column("user_id", Integer(), ForeignKey("users.user_id"), primary_key=True),
        Column("subject_id", Integer(), ForeignKey("subjects.subject_id"), primary_key=True, index=True),
        Column("position", Integer(), nullable=False),
        **_CLUSTERED,
    )
    _create_table(
        "book_authors",
        Column("book_id", Integer(), ForeignKey("books.book_id"), primary_key=True),
        Column("author_id", Integer(), ForeignKey("authors.author_id"), primary_key=True, index=True),
        Column("position", Integer(), nullable=False),
        **_CLUSTERED,
    )
    _create_table(
        "book_subjects",
        Column("book_id", Integer(), ForeignKey("books.book_id"), primary_key=True),
        Column("subject_id", Integer(), ForeignKey("subjects.subject_id"), primary_key=True, index=True),
        Column("position", Integer(), nullable=False),
        **_CLUSTERED,
    )
    _create_table(
        "editions",
        Column("isbn13", String(13), primary_key=True),
        Column("book_id", Integer(), ForeignKey("books.book_id"), nullable=False, index=True),
        Column("year", Integer()),
        **_MYSQL,
    )
    _create_table(
        "events",
        Column("event_id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True),
        Column("user_id", Integer(), ForeignKey("users.user_id"), nullable=False),
        Column("book_id", Integer(), ForeignKey("books.book_id"), nullable=False, index=True),
        Column("kind", String(10), nullable=False),
        Column("at", BigInteger(), nullable=False),
        **_MYSQL,
    )
    op.create_index(None, "events", ["user_id", "kind"])
    _create_table(
        "ratings",
        Column("user_id", Integer(), ForeignKey("users.user_id"), primary_key=True),
        Column("book_id", Integer(), ForeignKey("books.book_id"), primary_key=True, index=True),
        Column("rating", Double()),
        Column("rated_at", BigInteger()),
        **_CLUSTERED,
    )


def _create_table(name: str, *items: SchemaItem, **options: Any) -> None:
    op.create_table(name, *sort_by_code_points(*items), **options)
