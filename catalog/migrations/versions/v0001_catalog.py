"""The catalog's first schema: readers, works, editions, subjects, ratings and events."""

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
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_key", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("author_id", name=op.f("pk_authors")),
        sa.UniqueConstraint("name_key", name=op.f("uq_authors_name_key")),
        **_MYSQL,
    )
    op.create_table(
        "subjects",
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("is_generic", sa.Boolean(), nullable=False),
        sa.Column("n_books", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_subjects")),
        sa.UniqueConstraint("name", name=op.f("uq_subjects_name")),
        **_MYSQL,
    )
    op.create_table(
        "users",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("external_id", sa.String(length=64), nullable=False),
        sa.Column("age_group", sa.String(length=10), nullable=True),
        sa.Column("country", sa.String(length=60), nullable=True),
        sa.Column("revision", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_users")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_users_source_external_id")),
        **_MYSQL,
    )
    op.create_table(
        "books",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("external_id", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("language", sa.String(length=3), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("main_subject_id", sa.Integer(), nullable=True),
        sa.Column("replaced_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["main_subject_id"], ["subjects.subject_id"], name=op.f("fk_books_main_subject_id")
        ),
        sa.ForeignKeyConstraint(["replaced_by"], ["books.book_id"], name=op.f("fk_books_replaced_by")),
        sa.PrimaryKeyConstraint("book_id", name=op.f("pk_books")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_books_source_external_id")),
        **_MYSQL,
    )
    op.create_index(op.f("ix_books_replaced_by"), "books", ["replaced_by"])
    op.create_table(
        "subject_aliases",
        sa.Column("raw", sa.String(length=500), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["subjects.subject_id"], name=op.f("fk_subject_aliases_subject_id")
        ),
        sa.PrimaryKeyConstraint("raw", name=op.f("pk_subject_aliases")),
        **_MYSQL,
    )
    op.create_index(op.f("ix_subject_aliases_subject_id"), "subject_aliases", ["subject_id"])
    op.create_table(
        "user_subjects",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["subjects.subject_id"], name=op.f("fk_user_subjects_subject_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_user_subjects_user_id")),
        sa.PrimaryKeyConstraint("user_id", "subject_id", name=op.f("pk_user_subjects")),
        **_CLUSTERED,
    )
    op.create_index(op.f("ix_user_subjects_subject_id"), "user_subjects", ["subject_id"])
    op.create_table(
        "book_authors",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["authors.author_id"], name=op.f("fk_book_authors_author_id")),
        sa.ForeignKeyConstraint(["book_id"], ["books.book_id"], name=op.f("fk_book_authors_book_id")),
        sa.PrimaryKeyConstraint("book_id", "author_id", name=op.f("pk_book_authors")),
        **_CLUSTERED,
    )
    op.create_index(op.f("ix_book_authors_author_id"), "book_authors", ["author_id"])
    op.create_table(
        "book_subjects",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.book_id"], name=op.f("fk_book_subjects_book_id")),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["subjects.subject_id"], name=op.f("fk_book_subjects_subject_id")
        ),
        sa.PrimaryKeyConstraint("book_id", "subject_id", name=op.f("pk_book_subjects")),
        **_CLUSTERED,
    )
    op.create_index(op.f("ix_book_subjects_subject_id"), "book_subjects", ["subject_id"])
    op.create_table(
        "editions",
        sa.Column("isbn13", sa.String(length=13), nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["book_id"], ["books.book_id"], name=op.f("fk_editions_book_id")),
        sa.PrimaryKeyConstraint("isbn13", name=op.f("pk_editions")),
        **_MYSQL,
    )
    op.create_index(op.f("ix_editions_book_id"), "editions", ["book_id"])
    op.create_table(
        "events",
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.book_id"], name=op.f("fk_events_book_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_events_user_id")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_events")),
        **_MYSQL,
    )
    op.create_index(op.f("ix_events_book_id"), "events", ["book_id"])
    op.create_index(op.f("ix_events_user_id_kind"), "events", ["user_id", "kind"])
    op.create_table(
        "ratings",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("rating", sa.Double(), nullable=True),
        sa.Column("rated_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["book_id"], ["books.book_id"], name=op.f("fk_ratings_book_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_ratings_user_id")),
        sa.PrimaryKeyConstraint("user_id", "book_id", name=op.f("pk_ratings")),
        **_CLUSTERED,
    )
    op.create_index(op.f("ix_ratings_book_id"), "ratings", ["book_id"])
