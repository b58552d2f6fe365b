"""A catalog in each of the databases, with an account and a key, and a home with versions and secrets."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from artifacts.store import ArtifactStore
from catalog import audit, keys
from catalog.accounts import Credentials, create_reader
from catalog.database import Database, open_database
from catalog.exporting import FileFormat, export_catalog, restore_catalog
from catalog.tables import Base, CatalogIdentity, Job, Role
from catalog.tokens import log_in
from tests.homes import Home
from tests.loopback.twin import seal_twin
from tests.services import new_mariadb_database, new_postgresql_database

EMAIL = "ada@example.org"


@dataclass(frozen=True)
class Kept:
    """What is to be kept: a catalog, and a home."""

    db: Database
    home: Path

    @property
    def store(self) -> ArtifactStore:
        return ArtifactStore(self.home / "artifacts")


@dataclass(frozen=True)
class Places:
    """Where catalogs can be: for each a new, empty database of the same kind."""

    request: pytest.FixtureRequest
    kind: str
    opened: ExitStack

    def open(self, folder: Path) -> Database:
        if self.kind == "sqlite":
            url = f"sqlite:///{folder}/catalog.db"
        else:
            new = {"mariadb": new_mariadb_database, "postgresql": new_postgresql_database}[self.kind]
            url = self.opened.enter_context(new(self.request.getfixturevalue(f"{self.kind}_port")))
        return self.opened.enter_context(closing(open_database(url)))


@pytest.fixture(params=["sqlite", "mariadb", "postgresql"])
def places(request: pytest.FixtureRequest) -> Iterator[Places]:
    with ExitStack() as opened:
        yield Places(request, request.param, opened)


@pytest.fixture(scope="session")
def twin_home(trained_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two versions, promoted one after the other, and secrets. Never changed."""
    home = trained_home.copy(tmp_path_factory.mktemp("twins") / "home")
    store = home.store
    store.promote(seal_twin(store).version, by="test", why="to roll back from it")
    (home.path / "secrets").mkdir(exist_ok=True)
    (home.path / "secrets" / "signing").write_text("a secret")
    return home.path


@pytest.fixture(scope="session")
def exported(imported_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo catalog, to fill others with."""
    folder = tmp_path_factory.mktemp("exported") / "export"
    with closing(open_database(f"sqlite:///{imported_home.path}/catalog.db")) as db:
        export_catalog(db, folder, FileFormat.PARQUET)
    return folder


@pytest.fixture
def kept(places: Places, twin_home: Path, exported: Path, tmp_path: Path) -> Kept:
    home = Home(twin_home).copy(tmp_path / "home").path
    (home / "catalog.db").unlink()
    db = places.open(home)
    restore_catalog(db, exported)
    add_private_rows(db)
    return Kept(db, home)


def add_private_rows(db: Database) -> None:
    """An account that is logged in, a key, an entry of the audit log."""
    with db.session(write=True) as session:
        user_id = create_reader(session, Credentials(EMAIL, "Ada", "a hash"))
        log_in(session, user_id, Role.READER)
        keys.create_key(session, "shop", ["readers"])
        audit.record(session, "cli", "create-key", "key shop")


def read_rows(db: Database) -> dict[str, list[Any]]:
    """All rows by table, but the jobs and the number that changes with every import."""
    rows: dict[str, list[Any]] = {}
    with db.session() as session:
        for table in Base.metadata.sorted_tables:
            if table.name != Job.__tablename__:
                columns = [each for each in table.columns if each is not CatalogIdentity.__table__.c.revision]
                rows[table.name] = sorted(map(tuple, session.execute(select(*columns))), key=repr)
    return rows
