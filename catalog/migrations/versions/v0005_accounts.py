"""Accounts and their tokens, keys of services, the audit log, favourite authors, lists that events are of."""

from typing import Literal

from sqlalchemy import BigInteger, Column, Double, ForeignKey, Integer, String, Text, UniqueConstraint

from catalog.migrations.operations import CLUSTERED, add_columns, create_index, create_table

revision: str = "0005"
down_revision: str | None = "0004"

_BIG_INTEGER = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    """Apply this revision."""
    _create_accounts()
    _create_operation()
    create_table(
        "user_authors",
        _user_id(primary_key=True),
        Column("author_id", Integer(), ForeignKey("authors.author_id", ondelete="CASCADE"), primary_key=True),
        Column("position", Integer(), nullable=False),
        indexes=[["author_id"]],
        options=CLUSTERED,
    )
    create_table(
        "withdrawn_events",
        _user_id(primary_key=True),
        Column("book_id", Integer(), ForeignKey("books.book_id", ondelete="CASCADE"), primary_key=True),
        Column("kind", String(10), primary_key=True),
        Column("withdrawn_at", BigInteger(), nullable=False),
        indexes=[["book_id"]],
        options=CLUSTERED,
    )
    create_table(
        "library_rows",
        Column("row_id", _BIG_INTEGER, primary_key=True),
        _user_id(),
        Column("row_key", String(32), nullable=False),
        Column("title", String(500), nullable=False),
        Column("author", String(200), nullable=False),
        Column("isbn", String(13)),
        Column("rating", Double()),
        Column("read_at", BigInteger()),
        Column("shelf", String(20), nullable=False),
        Column("candidates", Text(), nullable=False),
        Column("created_at", BigInteger(), nullable=False),
        Column("settled_at", BigInteger()),
        Column("book_id", Integer(), ForeignKey("books.book_id", ondelete="CASCADE")),
        UniqueConstraint("user_id", "row_key"),
        indexes=[["book_id"]],
    )
    add_columns("books", Column("heading", String(40)))
    create_index("books", "heading")
    add_columns(
        "events",
        Column("list_id", String(64)),
        Column("surface", String(40)),
        Column("position", Integer()),
    )
    create_index("events", "user_id", "list_id")


def _create_accounts() -> None:
    create_table(
        "accounts",
        _user_id(primary_key=True, autoincrement=False),
        Column("email", String(254), nullable=False, unique=True),
        Column("name", String(200), nullable=False),
        Column("password_hash", String(200)),
        Column("role", String(10), nullable=False, server_default="reader"),
        Column("created_at", BigInteger(), nullable=False),
        Column("password_changed_at", BigInteger()),
        Column("profile_changed_at", BigInteger()),
    )
    create_table(
        "erased_users",
        Column("digest", String(64), primary_key=True),
        Column("erased_at", BigInteger(), nullable=False),
    )
    create_table(
        "token_families",
        Column("family_id", String(32), primary_key=True),
        _user_id(),
        Column("current_hash", String(64), nullable=False),
        Column("former_hash", String(64)),
        Column("salt", String(32)),
        Column("created_at", BigInteger(), nullable=False),
        Column("expires_at", BigInteger(), nullable=False),
        Column("used_at", BigInteger(), nullable=False),
        Column("revoked_at", BigInteger()),
        indexes=[["user_id"]],
    )
    create_table(
        "brought_users",
        Column("external_hash", String(64), primary_key=True),
        _user_id(),
        Column("form_hash", String(64), nullable=False),
        indexes=[["user_id"]],
    )
    create_table(
        "one_time_tokens",
        Column("token_hash", String(64), primary_key=True),
        _user_id(),
        Column("purpose", String(10), nullable=False),
        Column("expires_at", BigInteger(), nullable=False),
        Column("used_at", BigInteger()),
        indexes=[["user_id"]],
    )


def _create_operation() -> None:
    create_table(
        "api_keys",
        Column("key_id", Integer(), primary_key=True),
        Column("name", String(80), nullable=False, unique=True),
        Column("key_hash", String(64), nullable=False, unique=True),
        Column("scopes", String(200), nullable=False),
        Column("rate_per_minute", Integer()),
        Column("created_at", BigInteger(), nullable=False),
        Column("used_at", BigInteger()),
        Column("revoked_at", BigInteger()),
    )
    create_table(
        "audit_log",
        Column("entry_id", _BIG_INTEGER, primary_key=True),
        Column("at", BigInteger(), nullable=False),
        Column("actor", String(100), nullable=False),
        Column("action", String(40), nullable=False),
        Column("target", String(100), nullable=False),
        Column("detail", Text(), nullable=False),
    )


def _user_id(*, primary_key: bool = False, autoincrement: bool | Literal["auto"] = "auto") -> Column[int]:
    refers_to = ForeignKey("users.user_id", ondelete="CASCADE")
    return Column(
        "user_id", Integer(), refers_to, primary_key=primary_key, autoincrement=autoincrement, nullable=False
    )
