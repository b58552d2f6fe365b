"""Which schema a catalog has, whether this program can work with it, and the way to the newest (ADR 9)."""

import io
from dataclasses import dataclass

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select

from catalog.database import Database
from catalog.errors import SchemaMissing, SchemaOutdated, SchemaTooNew
from catalog.headings import fill_headings

SCHEMA_TABLE = "schema_revision"
"""Holds the newest revision that was applied."""
OLDEST_KNOWN_TABLE = "alembic_version"
"""Holds the oldest schema that a program must know; releases up to 0.2.0 accept no other than theirs here."""

MIGRATION_LOCK = 0x626F6F6B
"""Any number that nobody else in the database locks."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One step of the schema."""

    name: str
    summary: str


@dataclass(frozen=True, slots=True)
class SchemaState:
    """How far a catalog's schema is."""

    found: str | None
    """The newest revision that was applied; None where nothing is."""
    oldest_known: str | None
    """A program that does not know this revision must not touch the catalog."""
    pending: tuple[Revision, ...]
    """What this program would apply, in this order."""
    is_adopted: bool
    """Whether the catalog has the table of revisions; those that 0.2.0 made do not."""


def migrate(db: Database) -> list[Revision]:
    """Apply all that is pending and tell what it was. Raises SchemaTooNew."""
    applied = _apply_pending(db)
    if applied:
        with db.session(write=True) as session:
            fill_headings(session.connection())
    return applied


def _apply_pending(db: Database) -> list[Revision]:
    """Apply all that is pending.

    On SQLite and PostgreSQL all or nothing; elsewhere DDL commits by itself, so what was interrupted is run
    again.
    """
    if _has_transactional_ddl(db):
        # Who migrates at the same time waits for the lock, and then finds nothing pending.
        with db.session(write=True) as session:
            if db.engine.dialect.name == "postgresql":
                session.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
            return _upgrade(db, session.connection(), "head")
    applied: list[Revision] = []
    while pending := read_state(db).pending:
        with db.engine.begin() as connection:
            applied += _upgrade(db, connection, pending[0].name)
    return applied


def prepare(db: Database) -> None:
    """Create the tables in an empty database; raise as check_migrated for any other."""
    if read_state(db).found is None:
        migrate(db)
    check_migrated(db)


def check_migrated(db: Database, connection: Connection | None = None) -> None:
    """Raise SchemaMissing, SchemaOutdated or SchemaTooNew if this program cannot work with the schema."""
    state = read_state(db) if connection is None else _read_state(db, connection)
    if state.found is None:
        raise SchemaMissing(db.url)
    if state.pending:
        raise SchemaOutdated(db.url, found=state.found, expected=state.pending[-1].name)


def read_state(db: Database) -> SchemaState:
    """How far the schema is. Raises SchemaTooNew."""
    with db.engine.connect() as connection:
        return _read_state(db, connection)


def write_sql(db: Database) -> str:
    """The statements that `migrate` would run now, for an administrator to run. Raises SchemaTooNew."""
    state, buffer = read_state(db), io.StringIO()
    if not state.pending:
        return ""
    config = _build_config(db, output_buffer=buffer)
    if state.found and not state.is_adopted:
        command.stamp(config, state.found, sql=True)
    command.upgrade(config, f"{state.found}:head" if state.found else "head", sql=True)
    return buffer.getvalue()


def _upgrade(db: Database, connection: Connection, revision: str) -> list[Revision]:
    state = _read_state(db, connection)
    if not state.pending:
        return []
    config = _build_config(db, connection=connection)
    if state.found and not state.is_adopted:
        command.stamp(config, state.found)
    command.upgrade(config, revision)
    return list(state.pending if revision == "head" else state.pending[:1])


def _read_state(db: Database, connection: Connection) -> SchemaState:
    adopted, oldest_known = (
        _read_revision(connection, table) for table in (SCHEMA_TABLE, OLDEST_KNOWN_TABLE)
    )
    found = adopted or oldest_known
    script = ScriptDirectory.from_config(_build_config(db))
    known = [Revision(each.revision, each.doc.rstrip(".")) for each in script.walk_revisions()][::-1]
    names = [revision.name for revision in known]
    # An interrupted first migration has not come to the older table.
    if oldest_known not in (*names, None):
        raise SchemaTooNew(db.url, found=str(found), expected=names[-1])
    # A revision of a later release comes after all of ours; it only adds, since `oldest_known` is ours.
    n_applied = names.index(found) + 1 if found in names else len(names)
    pending = known[n_applied:] if found else known
    return SchemaState(found, oldest_known, tuple(pending), is_adopted=adopted is not None)


def _read_revision(connection: Connection, table: str) -> str | None:
    return MigrationContext.configure(connection, opts={"version_table": table}).get_current_revision()


def _build_config(
    db: Database, *, connection: Connection | None = None, output_buffer: io.StringIO | None = None
) -> Config:
    config = Config(output_buffer=output_buffer)
    config.set_main_option("script_location", "catalog:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["dialect"] = db.engine.dialect.name
    config.attributes["has_transactional_ddl"] = _has_transactional_ddl(db)
    config.attributes["version_table"] = SCHEMA_TABLE
    return config


def _has_transactional_ddl(db: Database) -> bool:
    return db.engine.dialect.name in ("sqlite", "postgresql")
