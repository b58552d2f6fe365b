"""Made-up requests of an admin find no fault; on a catalog of their own, which they may turn upside down."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update

from catalog.database import open_database
from catalog.tables import Account, Role
from tests.gateway import running
from tests.gateway.accounts.people import sign_up
from tests.schemathesis_runs import run_schemathesis

MAX_S = 12


@pytest.fixture
def gateway(home: Path, urls: dict[str, str]) -> Iterator[httpx.Client]:
    with running.gateway(running.settings_for(home, urls)) as client:
        del client.headers["Authorization"]
        yield client


def test_generated_requests_of_admins_find_no_fault(gateway: httpx.Client, home: Path) -> None:
    admin = sign_up(gateway)
    with closing(open_database(f"sqlite:///{home / 'catalog.db'}")) as db, db.session(write=True) as session:
        session.execute(update(Account).filter_by(user_id=admin.user_id).values(role=Role.ADMIN))

    run_schemathesis(
        f"{gateway.base_url}/openapi.json",
        *("--include-path-regex", "^/v1/admin"),
        folder=home,
        authorizations={"AUTHORIZATION_OF_ADMIN": admin.headers["Authorization"]},
        max_s=MAX_S,
    )

    assert admin.ask("GET", "/v1/admin/audit").json()["total"] > 0
