"""Accounts through a gateway, in each of the servers that a catalog may be in."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from catalog import tokens
from catalog.database import Database, open_database
from catalog.schema import migrate
from catalog.settings import CatalogOptions
from catalog.tables import Book
from foundation.urls import SecretUrl
from tests.gateway import running
from tests.gateway.accounts.people import PASSWORD, code_of, log_in, new_email, sign_up
from tests.services import new_mariadb_database, new_postgresql_database

MANY = 8
LISTS = ("favourite_subjects", "favourite_authors")
TOKEN_PATHS = ("refresh", "reset/confirm", "claim")


@pytest.fixture(scope="module", params=["mariadb", "postgresql"])
def db(request: pytest.FixtureRequest) -> Iterator[Database]:
    create = {"mariadb": new_mariadb_database, "postgresql": new_postgresql_database}[request.param]
    with create(request.getfixturevalue(f"{request.param}_port")) as url, closing(open_database(url)) as db:
        migrate(db)
        running.fill_catalog(db)
        yield db


@pytest.fixture(scope="module")
def client(db: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A gateway without any server."""
    settings = running.settings_for(tmp_path_factory.mktemp("home"), {})
    url = db.engine.url.render_as_string(hide_password=False)
    catalog = CatalogOptions(database_url=SecretUrl(url))
    with running.gateway(settings.model_copy(update={"catalog": catalog})) as client:
        client.headers.pop("Authorization", None)
        yield client


def at_once(call: Callable[[], httpx.Response]) -> list[int]:
    """The statuses of one call made many times at the same time, in order."""
    statuses: list[int] = []
    threads = [threading.Thread(target=lambda: statuses.append(call().status_code)) for _ in range(MANY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(statuses)


def test_a_reader_comes_tells_reads_and_leaves(client: httpx.Client) -> None:
    ada = sign_up(client, favourite_subjects=["Soup"], favourite_authors=["Author 2"], loved_books=[11, 22])

    assert ada.get("/v1/me")["n_books"] == 2
    assert ada.get("/v1/me/statistics")["mean_rating"] == 10
    assert ada.ask("PATCH", "/v1/me", {"country": "Chile", "favourite_authors": []}).status_code == 200
    assert ada.get("/v1/me/export")["tables"]["users"][0]["country"] == "Chile"
    assert log_in(client, ada.email).status_code == 200
    assert ada.ask("DELETE", "/v1/me").status_code == 204
    assert code_of(log_in(client, ada.email)) == (401, "wrong_credentials")


def test_of_those_who_sign_up_with_one_email_at_once_one_does(client: httpx.Client) -> None:
    form = {"email": new_email(), "name": "Ada", "password": PASSWORD}

    assert at_once(lambda: client.post("/v1/auth/signup", json=form)) == [201] + [409] * (MANY - 1)


def test_of_those_who_bring_one_reader_at_once_one_makes_them(client: httpx.Client) -> None:
    form = {"external_id": "shop-1", "loved_books": [11]}
    headers = {"Authorization": f"Bearer {running.KEY}"}

    assert at_once(lambda: client.post("/v1/users", json=form, headers=headers)) == [200] * (MANY - 1) + [201]
    other = client.post("/v1/users", json={"external_id": "shop-1"}, headers=headers)
    assert code_of(other) == (409, "external_id_taken")


def test_of_those_who_bring_one_refresh_token_at_once_all_stay_logged_in(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "GRACE_S", 3600)
    body = {"refresh_token": sign_up(client).tokens["refresh_token"]}

    assert at_once(lambda: client.post("/v1/auth/refresh", json=body)) == [200] * MANY
    following = {"refresh_token": client.post("/v1/auth/refresh", json=body).json()["refresh_token"]}
    assert client.post("/v1/auth/refresh", json=following).status_code == 200

    monkeypatch.setattr(tokens, "GRACE_S", 0)
    assert at_once(lambda: client.post("/v1/auth/refresh", json=following)) == [401] * MANY


def test_of_those_who_write_one_rating_at_once_none_fails(client: httpx.Client) -> None:
    ada = sign_up(client)

    assert at_once(lambda: ada.ask("PUT", "/v1/me/ratings/11", {"rating": 3})) == [200] * (MANY - 1) + [201]
    bulk = {"ratings": [{"book_id": 22, "rating": 4}, {"book_id": 11, "rating": 5}]}
    assert at_once(lambda: ada.ask("POST", "/v1/me/ratings", bulk)) == [200] * MANY
    assert {row["book_id"]: row["rating"] for row in ada.get("/v1/me/ratings")["items"]} == {11: 5, 22: 4}


@pytest.mark.parametrize(
    "text",
    [
        "'; DROP TABLE users; --",
        "' OR '1'='1",
        '" UNION SELECT email FROM accounts --',
        "%' OR 1=1) -- \\",
        "${jndi:ldap://x}{{7*7}}",
        "NUL\0",
        "lone \ud800 surrogate",
        "\U0010ffff \u202e \ufeff",
        "\r\nBcc: eve@example.org",
        "x" * 100_000,
    ],
    ids=lambda text: text[:12].encode("unicode_escape").decode(),
)
def test_no_text_is_more_than_a_text(client: httpx.Client, db: Database, text: str) -> None:
    ada = sign_up(client)
    form = {"email": new_email(), "name": "Ada", "password": PASSWORD}
    event = {"book_id": 11, "kind": "view", "at": 100}
    bodies: list[tuple[str, str, dict[str, Any]]] = [
        *(("POST", "/v1/auth/signup", {**form, field: text}) for field in form),
        *(("POST", "/v1/auth/signup", {**form, field: [text]}) for field in LISTS),
        *(("POST", "/v1/auth/login", {**form, field: text}) for field in ("email", "password")),
        *(("POST", f"/v1/auth/{path}", {"refresh_token": text, "token": text}) for path in TOKEN_PATHS),
        ("POST", "/v1/auth/claim", {**form, "token": text}),
        ("POST", "/v1/auth/reset/confirm", {"token": text, "new_password": PASSWORD}),
        ("PATCH", "/v1/me", {"name": text}),
        ("PATCH", "/v1/me", {"country": text}),
        *(("POST", "/v1/events", {"events": [{**event, field: text}]}) for field in ("surface", "list_id")),
        ("POST", "/v1/recommendations", {"subjects": [text]}),
        ("POST", "/v1/users", {"external_id": text}),
    ]
    queries = [
        ("/v1/books", "subject"),
        ("/v1/books", "author"),
        ("/v1/subjects", "prefix"),
        ("/v1/authors", "prefix"),
    ]

    answers = [
        ada.client.request(
            method,
            path,
            content=json.dumps(body),
            headers={**ada.headers, "Content-Type": "application/json"},
        )
        for method, path, body in bodies
    ]
    if text.isprintable() and len(text) < 5000:
        answers += [client.get(path, params={name: text}, headers=ada.headers) for path, name in queries]

    assert [answer.text for answer in answers if answer.status_code == 500] == []
    assert ada.get("/v1/me")["email"] == ada.email
    with db.session() as session:
        assert session.scalar(select(func.count()).select_from(Book)) == 13


@pytest.mark.parametrize("number", [2**31, 2**63 - 1])
def test_an_id_larger_than_the_database_has_is_nobody_s(client: httpx.Client, number: int) -> None:
    key = {"Authorization": f"Bearer {running.KEY}"}
    ada = sign_up(client)

    for path in (f"/v1/users/{number}/ratings", f"/v1/authors/{number}"):
        assert client.get(path, headers=key).status_code == 404
    for path in (f"/v1/me/ratings/{number}", f"/v1/me/dismissals/{number}"):
        assert client.delete(path, headers=ada.headers).status_code == 404
