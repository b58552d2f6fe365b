"""Cascades, a range of ratings, hidden books, pages, readers' attributes, sources, reports and jobs.

SQLite cannot alter a foreign key: there the tables that have them are written anew. Nothing refers to those.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Integer,
    String,
    Text,
    column,
    false,
    insert,
    select,
    table,
)

from catalog.migrations.operations import (
    CLUSTERED,
    INNODB,
    add_columns,
    create_check,
    create_index,
    create_table,
    is_sqlite,
    make_cascade,
)

revision: str = "0004"
down_revision: str | None = "0003"

_RANGE_NAME, _RANGE = "ck_ratings_range", "rating BETWEEN 1 AND 10"
_PARENTS = {
    "book_id": "books",
    "user_id": "users",
    "author_id": "authors",
    "subject_id": "subjects",
}
"""The table that each foreign key refers to."""
_KEYS = {
    "editions": ("book_id",),
    "subject_aliases": ("subject_id",),
    "book_authors": ("book_id", "author_id"),
    "book_subjects": ("book_id", "subject_id"),
    "user_subjects": ("user_id", "subject_id"),
    "ratings": ("user_id", "book_id"),
    "withdrawn_ratings": ("user_id", "book_id"),
    "events": ("user_id", "book_id"),
}
"""What gets its cascade."""


def upgrade() -> None:
    """Apply this revision."""
    _create_tables()
    add_columns(
        "users",
        Column("gender", String(10)),
        Column("occupation", String(40)),
        Column("postal_code", String(12)),
        Column("created_at", BigInteger()),
    )
    add_columns(
        "books",
        Column("filled_year", Boolean(), nullable=False, server_default=false()),
        Column("year_bucket", String(12)),
        Column("n_pages", Integer()),
        Column("filled_pages", Boolean(), nullable=False, server_default=false()),
        Column("page_bucket", String(12)),
        Column("hidden", String(10)),
        Column("created_at", BigInteger()),
    )
    create_index("books", "hidden", where="hidden IS NOT NULL")
    add_columns("merged_ratings", Column("created_at", BigInteger()))
    if is_sqlite():
        _write_anew()
    else:
        _alter()


def _create_tables() -> None:
    create_table(
        "sources",
        Column("name", String(40), primary_key=True),
        Column("lowest", Double(), nullable=False),
        Column("highest", Double(), nullable=False),
        Column("implicit", String(20), nullable=False),
        Column("is_whole", Boolean(), nullable=False),
    )
    create_table(
        "author_aliases",
        Column("name_key", String(200), primary_key=True),
        _key("author_id", nullable=False),
        indexes=[["author_id"]],
    )
    create_table(
        "book_edits",
        _key("book_id", primary_key=True),
        Column("field", String(20), primary_key=True),
        Column("edited_at", BigInteger(), nullable=False),
        options=CLUSTERED,
    )
    create_table(
        "edition_edits",
        Column("isbn13", String(13), primary_key=True),
        Column("moved_from", Integer()),
        Column("edited_at", BigInteger(), nullable=False),
    )
    create_table(
        "subject_edits",
        Column("name_key", String(200), primary_key=True),
        _key("subject_id"),
        indexes=[["subject_id"]],
    )
    create_table(
        "import_reports",
        Column("report_id", Integer(), primary_key=True),
        Column("source", String(40), nullable=False),
        Column("started_at", BigInteger(), nullable=False),
        Column("report", Text(), nullable=False),
    )
    create_table(
        "jobs",
        Column("job_id", Integer(), primary_key=True),
        Column("kind", String(20), nullable=False),
        Column("state", String(10), nullable=False),
        Column("params", Text(), nullable=False),
        Column("due_at", Double(), nullable=False),
        Column("queued_at", Double(), nullable=False),
        Column("started_at", Double()),
        Column("alive_at", Double()),
        Column("finished_at", Double()),
        Column("attempts", Integer(), nullable=False),
        Column("outcome", Text()),
        indexes=[["state", "due_at"]],
    )


def _alter() -> None:
    add_columns("editions", Column("n_pages", Integer()))
    for name in ("ratings", "events"):
        add_columns(name, Column("created_at", BigInteger()))
    op.alter_column("events", "at", existing_type=BigInteger(), nullable=True)
    for name, keys in _KEYS.items():
        for key in keys:
            make_cascade(name, key, _PARENTS[key])
    create_check("ratings", _RANGE_NAME, _RANGE)


def _write_anew() -> None:
    for name in ("book_authors", "book_subjects", "user_subjects"):
        first, second = _KEYS[name]
        keys = _key(first, primary_key=True), _key(second, primary_key=True)
        _rewrite(
            name, *keys, Column("position", Integer(), nullable=False), indexes=[[second]], options=CLUSTERED
        )
    _rewrite(
        "editions",
        Column("isbn13", String(13), primary_key=True),
        _key("book_id", nullable=False),
        Column("year", Integer()),
        added=[Column("n_pages", Integer())],
        indexes=[["book_id"]],
    )
    _rewrite(
        "subject_aliases",
        Column("raw", String(500), primary_key=True),
        _key("subject_id", nullable=False),
        indexes=[["subject_id"]],
    )
    _rewrite(
        "ratings",
        _key("user_id", primary_key=True),
        _key("book_id", primary_key=True),
        Column("rating", Double()),
        Column("rated_at", BigInteger()),
        Column("given_here", Boolean()),
        added=[Column("created_at", BigInteger()), CheckConstraint(_RANGE, name=op.f(_RANGE_NAME))],
        indexes=[["book_id"]],
        options=CLUSTERED,
    )
    _rewrite(
        "withdrawn_ratings",
        _key("user_id", primary_key=True),
        _key("book_id", primary_key=True),
        Column("withdrawn_at", BigInteger(), nullable=False),
        indexes=[["book_id"]],
        options=CLUSTERED,
    )
    _rewrite(
        "events",
        Column("event_id", Integer(), primary_key=True),
        _key("user_id", nullable=False),
        _key("book_id", nullable=False),
        Column("kind", String(10), nullable=False),
        Column("at", BigInteger()),
        added=[Column("created_at", BigInteger())],
        indexes=[["book_id"], ["user_id", "kind"]],
    )


def _key(name: str, **options: Any) -> Column[int]:
    refers_to = ForeignKey(f"{_PARENTS[name]}.{name}", ondelete="CASCADE")
    return Column(name, Integer(), refers_to, **options)


def _rewrite(
    name: str,
    *columns: Column[Any],
    added: Sequence[Column[Any] | CheckConstraint] = (),
    indexes: Sequence[Sequence[str]],
    options: Mapping[str, Any] = INNODB,
) -> None:
    former, names = f"former_{name}", [each.name for each in columns]
    for index in indexes:
        op.drop_index(f"ix_{name}_{'_'.join(index)}", name)
    op.rename_table(name, former)
    create_table(name, *columns, *added, indexes=indexes, options=options)
    old, new = (table(each, *map(column, names)) for each in (former, name))
    op.execute(insert(new).from_select(names, select(*old.columns)))
    op.drop_table(former)
