"""Who may call what: each route tried by nobody, by readers, by services and by an admin."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, update

from catalog.database import Database
from catalog.tables import Account, ApiKey, Role
from catalog.tokens import hash_token
from gateway.accounts import keys, sessions
from tests.gateway.accounts.people import Person, code_of, sign_up
from tests.gateway.running import KEY, SOUP_FAN

NOBODY = (401, "unauthenticated")
FOREIGN = (404, "user_not_found")
FORBIDDEN = (403, "forbidden")
NEED_A_TOKEN = ("/v1/me", "/v1/users", "/v1/events", "/v1/auth/logout", "/v1/auth/password")
OF_A_READER = [
    ("GET", "/v1/users/{user_id}/recommendations"),
    ("GET", "/v1/users/{user_id}/recommendations/11/why"),
    ("GET", "/v1/users/{user_id}/ratings"),
    ("PUT", "/v1/users/{user_id}/ratings/22"),
    ("DELETE", "/v1/users/{user_id}/ratings/22"),
    ("GET", "/v1/users/{user_id}/dismissals"),
    ("PUT", "/v1/users/{user_id}/dismissals/44"),
    ("DELETE", "/v1/users/{user_id}/dismissals/44"),
    ("GET", "/v1/books/popular?user_id={user_id}"),
    ("GET", "/v1/books/11/similar?user_id={user_id}"),
    ("GET", "/v1/search?q=space&user_id={user_id}"),
    ("GET", "/v1/search/semantic?q=space&user_id={user_id}"),
]


@dataclass(frozen=True)
class Callers:
    """The headers that each kind of caller sends."""

    nobody: dict[str, str]
    reader: dict[str, str]
    other: dict[str, str]
    service: dict[str, str]
    narrow_service: dict[str, str]
    admin: dict[str, str]


@pytest.fixture(scope="module")
def reader(client: httpx.Client) -> Person:
    return sign_up(client, loved_books=[11])


@pytest.fixture(scope="module")
def callers(client: httpx.Client, db: Database, reader: Person) -> Callers:
    admin = sign_up(client)
    with db.session(write=True) as session:
        session.execute(update(Account).filter_by(user_id=admin.user_id).values(role=Role.ADMIN))
        session.execute(
            insert(ApiKey).values(
                name="narrow", key_hash=hash_token("bmk_narrow"), scopes="other", created_at=0
            )
        )
    return Callers(
        nobody={},
        reader=reader.headers,
        other=sign_up(client).headers,
        service={"Authorization": f"Bearer {KEY}"},
        narrow_service={"Authorization": "Bearer bmk_narrow"},
        admin=admin.headers,
    )


def ask(client: httpx.Client, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
    body: Any = {"rating": 8} if method == "PUT" else None
    return client.request(method, path, json=body, headers=headers)


@pytest.mark.parametrize(("method", "template"), OF_A_READER)
def test_what_is_a_reader_s_is_for_them_a_service_and_an_admin(
    client: httpx.Client, reader: Person, callers: Callers, method: str, template: str
) -> None:
    path = template.format(user_id=reader.user_id)

    assert code_of(ask(client, method, path, callers.nobody)) == NOBODY
    assert code_of(ask(client, method, path, callers.other)) == FOREIGN
    assert code_of(ask(client, method, path, callers.narrow_service)) == FORBIDDEN
    for headers in (callers.reader, callers.service, callers.admin):
        if method == "DELETE":
            ask(client, "PUT", path, headers)
        assert ask(client, method, path, headers).is_success


@pytest.mark.parametrize(("method", "template"), OF_A_READER)
def test_who_is_there_is_not_told(client: httpx.Client, callers: Callers, method: str, template: str) -> None:
    there, nowhere = (
        ask(client, method, template.format(user_id=user_id), callers.other)
        for user_id in (SOUP_FAN, 999_999)
    )

    assert code_of(there) == code_of(nowhere) == FOREIGN
    assert there.json()["detail"].replace(str(SOUP_FAN), "") == nowhere.json()["detail"].replace("99", "")


def read_operations(client: httpx.Client) -> Iterator[tuple[str, str, dict[str, Any]]]:
    paths: dict[str, dict[str, Any]] = client.get("/openapi.json").json()["paths"]
    for template, operations in paths.items():
        for method, operation in operations.items():
            yield method.upper(), re.sub(r"{\w+}", "11", template), operation


def test_each_route_that_needs_a_token_says_so_and_asks_for_it(client: httpx.Client) -> None:
    needing = {path for _, path, operation in read_operations(client) if operation.get("security")}

    for method, path, operation in read_operations(client):
        needs = operation.get("security") == [{"bearer": []}]
        assert needs == path.startswith(NEED_A_TOKEN), path
        if needs:
            assert code_of(client.request(method, path)) == NOBODY
    assert {"/v1/books/popular", "/v1/search"} <= needing


def test_a_service_has_no_account(client: httpx.Client, callers: Callers) -> None:
    for method, path, operation in read_operations(client):
        if operation.get("security") == [{"bearer": []}] and not path.startswith(("/v1/users", "/v1/events")):
            assert code_of(client.request(method, path, headers=callers.service)) == FORBIDDEN


def test_what_is_open_to_anyone_stays_so(client: httpx.Client) -> None:
    for path in ("/v1/books/popular", "/v1/books/11", "/v1/search?q=space", "/v1/subjects", "/v1/health"):
        assert client.get(path).status_code == 200
    assert client.post("/v1/recommendations", json={"liked": [{"book_id": 11}]}).status_code == 200


def test_a_key_that_was_revoked_is_soon_none(
    client: httpx.Client, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers, path = {"Authorization": "Bearer bmk_soon_gone"}, f"/v1/users/{SOUP_FAN}/recommendations"
    with db.session(write=True) as session:
        session.execute(
            insert(ApiKey).values(
                name="gone", key_hash=hash_token("bmk_soon_gone"), scopes="readers", created_at=0
            )
        )
    assert client.get(path, headers=headers).status_code == 200

    with db.session(write=True) as session:
        session.execute(update(ApiKey).filter_by(name="gone").values(revoked_at=1))

    monkeypatch.setattr(keys, "FRESH_S", 0.0)
    monkeypatch.setattr(sessions, "FRESH_S", 0.0)
    assert code_of(client.get(path, headers=headers)) == NOBODY
