"""Who may call what: each route tried by nobody, by readers, by services, by an admin, with bad tokens."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from sqlalchemy import insert, update

from catalog.database import Database
from catalog.tables import Account, ApiKey, Role
from catalog.tokens import hash_token
from gateway.accounts import keys, sessions
from tests.gateway.accounts.people import Person, code_of, sign_up
from tests.gateway.accounts.routes import (
    BAD_TOKENS,
    CALLERS,
    NO_VERSION,
    OK,
    OUTCOMES,
    ROUTES,
    Access,
    Route,
)
from tests.gateway.accounts.test_auth import forge
from tests.gateway.accounts.test_me_import import bring
from tests.gateway.running import KEY, SOUP_FAN

API = Path(__file__).parents[3] / "docs" / "api.md"
NOBODY = (401, "unauthenticated")
STATUS = {"unauthenticated": 401, "token_expired": 401, "forbidden": 403, "user_not_found": 404}
BOOK, UNREAD_BOOK, NOTHING = 11, 44, 987_654
_numbers = count(1)


@dataclass(frozen=True)
class Cast:
    """Three readers with accounts, each with a row of a library to settle, and what each caller sends."""

    people: dict[str, Person]
    row_ids: dict[str, int]
    tokens: dict[str, str]

    def send(self, caller: str, route: Route) -> httpx.Response:
        """What a caller gets who sends the request of a route, about the first reader or themselves."""
        reader, owner = self.people[CALLERS[1]], self.people.get(caller, self.people[CALLERS[1]])
        path = route.path.format(
            user_id=reader.user_id,
            book_id=choose_book(route),
            row_id=self.row_ids.get(caller, 1),
            isbn="9791090648524" if route.access is Access.ADMIN else "9780441478125",
            author_id=1,
            version=NO_VERSION,
            name="nobody",
            job_id=NOTHING,
            report_id=NOTHING,
        )
        content = route.body(reader if route.access is Access.USER else owner)
        is_file = isinstance(content, bytes)
        body: dict[str, Any] = {"content": content} if is_file else {"json": content}
        headers = {"Content-Type": "text/csv"} if is_file else {}
        if token := self.tokens.get(caller):
            headers["Authorization"] = f"Bearer {token}"
        if route.method == "DELETE" and "{book_id}" in route.path:
            reader.client.put(path, headers=headers, **body)
        return reader.client.request(route.method, path, headers=headers, **body)


def choose_book(route: Route) -> int:
    if route.access is Access.ADMIN:
        return NOTHING
    return UNREAD_BOOK if "/shelf" in route.path else BOOK


def gather(client: httpx.Client, db: Database, home: Path) -> Cast:
    """Everybody who may try a route."""
    people = {caller: sign_up(client) for caller in CALLERS if "token" in caller and caller != "no token"}
    narrow = f"bmk_narrow_{next(_numbers)}"
    with db.session(write=True) as session:
        admin = update(Account).filter_by(user_id=people[CALLERS[-1]].user_id)
        session.execute(admin.values(role=Role.ADMIN))
        session.execute(
            insert(ApiKey).values(name=narrow, key_hash=hash_token(narrow), scopes="other", created_at=0)
        )
    reader = people[CALLERS[1]]
    claims = jwt.decode(reader.tokens["access_token"], options={"verify_signature": False})
    return Cast(
        people,
        {caller: bring(person).json()["review"]["items"][0]["row_id"] for caller, person in people.items()},
        {
            **{caller: person.tokens["access_token"] for caller, person in people.items()},
            CALLERS[3]: KEY,
            CALLERS[4]: narrow,
            "expired": forge(home, reader, exp=int(time.time()) - 1),
            "forged": forge(home, reader, key=b"k" * 32),
            "alg:none": jwt.encode(claims, None, "none"),
        },
    )


@pytest.fixture(scope="module")
def cast(client: httpx.Client, db: Database, accounts_home: Path) -> Cast:
    return gather(client, db, accounts_home)


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_route_is_for_those_whom_the_table_names(
    cast: Cast, route: Route, client: httpx.Client, db: Database, accounts_home: Path
) -> None:
    if route.is_last:
        cast = gather(client, db, accounts_home)
    for bad, code in BAD_TOKENS.items():
        expected = OK if route.access is Access.ANYONE else code
        check_outcome(cast.send(bad, route), expected, route, bad)
    for caller, expected in zip(CALLERS, OUTCOMES[route.access], strict=True):
        check_outcome(cast.send(caller, route), expected, route, caller)


def check_outcome(answer: httpx.Response, expected: str | None, route: Route, caller: str) -> None:
    if expected is not OK:
        assert code_of(answer) == (STATUS[expected], expected), caller
    elif route.refused_later is not None:
        assert answer.json()["code"] == route.refused_later, caller
    else:
        assert answer.is_success, f"{caller}: {answer.text}"


@pytest.fixture(scope="module")
def operations(client: httpx.Client) -> dict[tuple[str, str], dict[str, Any]]:
    """The operations of the OpenAPI document by method and path."""
    paths: dict[str, dict[str, Any]] = client.get("/openapi.json").json()["paths"]
    return {
        (method.upper(), template): operation
        for template, methods in paths.items()
        for method, operation in methods.items()
    }


def test_no_route_is_missing_in_the_table(operations: dict[tuple[str, str], dict[str, Any]]) -> None:
    assert {(route.method, route.template) for route in ROUTES} == operations.keys()


def test_the_document_says_which_routes_need_a_token(
    operations: dict[tuple[str, str], dict[str, Any]],
) -> None:
    for key, operation in operations.items():
        needed = {route.access != Access.ANYONE for route in ROUTES if key == (route.method, route.template)}
        security = operation.get("security", [])
        expected = {frozenset([True]): [[{"bearer": []}]], frozenset([False]): [[]]}
        assert security in expected.get(frozenset(needed), [[{}, {"bearer": []}]]), key


def test_the_table_is_documented() -> None:
    lines = API.read_text().splitlines()
    statuses = [line for line in lines if line.startswith(tuple(f"| {access} |" for access in Access))]
    routes = [line for line in lines if line.endswith(tuple(f" | {access} |" for access in Access))]

    assert "\n".join(statuses) == "\n".join(write_statuses())
    assert "\n".join(routes) == "\n".join(f"| `{route}` | {route.access} |" for route in ROUTES)


def write_statuses() -> Iterator[str]:
    for access, outcomes in OUTCOMES.items():
        cells = ["yes" if code is OK else str(STATUS[code]) for code in outcomes]
        bad = "as no token" if access is Access.ANYONE else "401"
        yield f"| {access} | {' | '.join([*cells, bad])} |"


@pytest.mark.parametrize("route", [each for each in ROUTES if each.access is Access.USER], ids=str)
def test_who_is_there_is_not_told(cast: Cast, client: httpx.Client, route: Route) -> None:
    other = cast.people[CALLERS[2]]
    there, nowhere = (
        client.request(
            route.method,
            route.path.format(user_id=user_id, book_id=BOOK),
            json=None if route.body(other) is None else {**route.body(other), **named(route, user_id)},
            headers=other.headers,
        )
        for user_id in (SOUP_FAN, 999_999)
    )

    assert code_of(there) == code_of(nowhere) == (404, "user_not_found")
    assert there.json()["detail"].replace(str(SOUP_FAN), "") == nowhere.json()["detail"].replace("9", "")


def named(route: Route, user_id: int) -> dict[str, int]:
    """The reader, where the body names them."""
    return {} if "user_id" in route.path else {"user_id": user_id}


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
