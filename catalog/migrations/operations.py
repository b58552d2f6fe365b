"""What migrations do to tables: each may be run twice, for databases that commit DDL by themselves."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from alembic import context, op
from sqlalchemy import Column, Constraint, String, inspect, text
from sqlalchemy.schema import SchemaItem

INNODB: Final[Mapping[str, Any]] = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in (("engine", "InnoDB"), ("charset", "utf8mb4"), ("collate", "utf8mb4_bin"))
}
CLUSTERED: Final[Mapping[str, Any]] = {**INNODB, "sqlite_with_rowid": False}
"""Such a table is the index of its primary key."""


def is_sqlite() -> bool:
    """Whether the database is SQLite, which can add columns and alter nothing."""
    return context.get_context().dialect.name == "sqlite"


def create_table(
    name: str,
    *items: Column[Any] | Constraint,
    indexes: Sequence[Sequence[str]] = (),
    options: Mapping[str, Any] = INNODB,
) -> None:
    """Create a table that is not there, and its indexes."""
    op.create_table(name, *sort_by_code_points(*items), if_not_exists=True, **options)
    for columns in indexes:
        create_index(name, *columns)


def create_index(table: str, *columns: str, where: str | None = None) -> None:
    """Create an index that is not there; of some rows only, where the database can."""
    rows: dict[str, Any] = {f"{dialect}_where": text(where) for dialect in ("sqlite", "postgresql") if where}
    op.create_index(None, table, list(columns), if_not_exists=_may_say_if_not_exists(), **rows)


def add_columns(table: str, *columns: Column[Any]) -> None:
    """Add the columns that are not there."""
    for column in sort_by_code_points(*columns):
        op.add_column(table, column, if_not_exists=_may_say_if_not_exists())


def sort_by_code_points(*items: SchemaItem) -> Sequence[Any]:
    """The same with texts that PostgreSQL sorts as the other databases do, and not by a language's rules."""
    if context.get_context().dialect.name == "postgresql":
        for item in items:
            if isinstance(item, Column) and isinstance(item.type, String):
                item.type.collation = "C"
    return items


def make_cascade(table: str, column: str, parent: str) -> None:
    """Let the rows of a table go with those that a foreign key, of the same name as its target, refers to."""
    name = f"fk_{table}_{column}"
    if "CASCADE" not in _found("get_foreign_keys", table, name):
        op.drop_constraint(name, table, type_="foreignkey")
        op.create_foreign_key(name, table, parent, [column], [column], ondelete="CASCADE")


def create_check(table: str, name: str, condition: str) -> None:
    """Add a check of a table's rows."""
    if not _found("get_check_constraints", table, name):
        op.create_check_constraint(op.f(name), table, condition)


def _found(kind: str, table: str, name: str) -> str:
    """What the database tells of a constraint; nothing where statements are only printed."""
    if context.is_offline_mode():
        return ""
    constraints = getattr(inspect(op.get_bind()), kind)(table)
    return "".join(str(each) for each in constraints if each["name"] == name)


def _may_say_if_not_exists() -> bool | None:
    dialect = context.get_context().dialect  # MariaDB and PostgreSQL can; MySQL cannot
    return dialect.name == "postgresql" or getattr(dialect, "is_mariadb", False) or None
