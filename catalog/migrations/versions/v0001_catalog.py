"""The catalog's first schema: readers, works, editions, subjects, ratings and events.

Keys and indexes are named by the convention of `catalog.tables.Base`.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

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
    op.create_table(
        "authors",
        sa.Column("author_id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("name_key", sa.String(200), nullable=False, unique=True),
        **_MYSQL,
    )
    op.create_table(
        "subjects",
        sa.Column("subject_id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False, unique=True),
        sa.Column("is_generic", sa.Boolean(), nullable=False),
        sa.Column("n_books", sa.Integer(), nullable=False, server_default="0"),
        **_MYSQL,
    )
    op.create_table(
        "users",
        sa.Column("user_id", sa.Integer(), primary_key=True),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("external_id", sa.String(64), nullable=False),
        sa.Column("age_group", sa.String(10)),
        sa.Column("country", sa.String(60)),
        sa.Column("revision", sa.Integer(), nullable=False, server_default="0"),
        sa.UniqueConstraint("source", "external_id"),
        **_MYSQL,
    )
    op.create_table(
        "books",
        sa.Column("book_id", sa.Integer(), primary_key=True),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("external_id", sa.String(64), nullable=False),
        sa.Column("title", sa.String(500), nullable=False),
        sa.Column("year", sa.Integer()),
        sa.Column("language", sa.String(3)),
        sa.Column("description", sa.Text()),
        sa.Column("main_subject_id", sa.Integer(), sa.ForeignKey("subjects.subject_id")),
        sa.Column("replaced_by", sa.Integer(), sa.ForeignKey("books.book_id"), index=True),
        sa.UniqueConstraint("source", "external_id"),
        **_MYSQL,
    )
    op.create_table(
        "subject_aliases",
        sa.Column("raw", sa.String(500), primary_key=True),
        sa.Column(
            "subject_id", sa.Integer(), sa.ForeignKey("subjects.subject_id"), nullable=False, index=True
        ),
        **_MYSQL,
    )
    op.create_table(
        "user_subjects",
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("users.user_id"), primary_key=True),
        sa.Column(
            "subject_id", sa.Integer(), sa.ForeignKey("subjects.subject_id"), primary_key=True, index=True
        ),
        sa.Column("position", sa.Integer(), nullable=False),
        **_CLUSTERED,
    )
    op.create_table(
        "book_authors",
        sa.Column("book_id", sa.Integer(), sa.ForeignKey("books.book_id"), primary_key=True),
        sa.Column(
            "author_id", sa.Integer(), sa.ForeignKey("authors.author_id"), primary_key=True, index=True
        ),
        sa.Column("position", sa.Integer(), nullable=False),
        **_CLUSTERED,
    )
    op.create_table(
        "book_subjects",
        sa.Column("book_id", sa.Integer(), sa.ForeignKey("books.book_id"), primary_key=True),
        sa.Column(
            "subject_id", sa.Integer(), sa.ForeignKey("subjects.subject_id"), primary_key=True, index=True
        ),
        sa.Column("position", sa.Integer(), nullable=False),
        **_CLUSTERED,
    )
    op.create_table(
        "editions",
        sa.Column("isbn13", sa.String(13), primary_key=True),
        sa.Column("book_id", sa.Integer(), sa.ForeignKey("books.book_id"), nullable=False, index=True),
        sa.Column("year", sa.Integer()),
        **_MYSQL,
    )
    op.create_table(
        "events",
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("users.user_id"), nullable=False),
        sa.Column("book_id", sa.Integer(), sa.ForeignKey("books.book_id"), nullable=False, index=True),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        **_MYSQL,
    )
    op.create_index(None, "events", ["user_id", "kind"])
    op.create_table(
        "ratings",
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("users.user_id"), primary_key=True),
        sa.Column("book_id", sa.Integer(), sa.ForeignKey("books.book_id"), primary_key=True, index=True),
        sa.Column("rating", sa.Double()),
        sa.Column("rated_at", sa.BigInteger()),
        **_CLUSTERED,
    )
