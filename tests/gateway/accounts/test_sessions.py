"""Whose tokens are believed while the catalog is away."""

from pathlib import Path

import pytest

from catalog import tokens
from catalog.database import open_database
from catalog.tables import Role
from gateway.accounts import sessions
from gateway.accounts.callers import Reader
from gateway.accounts.errors import Unauthenticated
from gateway.accounts.sessions import Sessions
from gateway.accounts.tokens import AccessTokens
from gateway.deadline import Deadline
from gateway.errors import CatalogUnavailable
from tests.gateway.running import SOUP_FAN, open_catalog

ACCESS = AccessTokens(b"s" * 32)


def delete_catalog(home: Path) -> None:
    for file in home.glob("catalog.db*"):
        file.unlink()


@pytest.mark.parametrize("role", Role)
async def test_while_the_catalog_is_away_readers_are_believed_and_admins_not(home: Path, role: Role) -> None:
    db = open_database(f"sqlite:///{home / 'catalog.db'}")
    catalog = open_catalog(db)
    log_in = await catalog.write(lambda session: tokens.log_in(session, SOUP_FAN, role))
    token = ACCESS.sign(Reader(SOUP_FAN, role, log_in.family_id))
    with pytest.raises(Unauthenticated):  # who has no account has no log-in
        await Sessions(catalog, ACCESS).find(token, Deadline.after(3))

    delete_catalog(home)

    if role == Role.ADMIN:
        with pytest.raises(CatalogUnavailable):
            await Sessions(catalog, ACCESS).find(token, Deadline.after(3))
    else:
        assert (await Sessions(catalog, ACCESS).find(token, Deadline.after(3))).user_id == SOUP_FAN
    catalog.close()


async def test_the_token_of_an_ended_log_in_costs_one_look_however_often_it_comes(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = open_catalog(open_database(f"sqlite:///{home / 'catalog.db'}"))
    token, looked_up = ACCESS.sign(Reader(SOUP_FAN, Role.READER, "ended")), list[str]()
    monkeypatch.setattr(sessions, "FRESH_S", 3600)
    monkeypatch.setattr(tokens, "read_role", lambda _, __, family_id: looked_up.append(family_id))
    found = Sessions(catalog, ACCESS)

    for _ in range(5):
        with pytest.raises(Unauthenticated):
            await found.find(token, Deadline.after(30))

    assert looked_up == ["ended"]
    catalog.close()
