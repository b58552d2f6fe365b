"""A gateway before five servers, with an admin and two readers; no worker, so that jobs wait."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update

from catalog.database import Database, open_database
from catalog.tables import Account, Role
from tests.gateway import running
from tests.gateway.accounts.conftest import cheap_passwords
from tests.gateway.accounts.people import Person, sign_up

__all__ = ["cheap_passwords"]


@pytest.fixture(scope="package")
def admin_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return running.build_home(tmp_path_factory.mktemp("admin"))


@pytest.fixture(scope="package")
def client(admin_home: Path, urls: dict[str, str]) -> Iterator[httpx.Client]:
    """Of the gateway, without a token."""
    accounts = {"page_url": "https://books.example/account"}
    with running.gateway(running.settings_for(admin_home, urls, accounts=accounts)) as client:
        del client.headers["Authorization"]
        yield client


@pytest.fixture(scope="package")
def db(admin_home: Path) -> Iterator[Database]:
    """The catalog of that gateway."""
    with closing(open_database(f"sqlite:///{admin_home / 'catalog.db'}")) as db:
        yield db


@pytest.fixture(scope="package")
def admin(client: httpx.Client, db: Database) -> Person:
    person = sign_up(client)
    with db.session(write=True) as session:
        session.execute(update(Account).filter_by(user_id=person.user_id).values(role=Role.ADMIN))
    return person
