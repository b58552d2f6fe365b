"""What admins do with readers and keys, and what the audit log says of it: never an e-mail."""

import httpx
import pytest
from sqlalchemy import func, select

from catalog.database import Database
from catalog.tables import AuditEntry, Rating
from gateway.accounts import keys
from tests.gateway.accounts.people import PASSWORD, Person, code_of, sign_up
from tests.gateway.api.admin.deeds import PATH, do, read_last_entry
from tests.gateway.running import PICKY_READER, SOUP_FAN, SPACE_READER, STRANGER


def test_a_reader_is_found_by_e_mail_and_shown(client: httpx.Client, admin: Person) -> None:
    ada = sign_up(client, loved_books=[11])

    found = do(admin, "POST", "/find-user", {"email": ada.email.upper()}, status=200)
    shown = do(admin, "GET", f"/users/{ada.user_id}", status=200)
    nobody = do(admin, "POST", "/find-user", {"email": "nobody@example.org"}, status=200)

    assert [each["user_id"] for each in found["items"]] == [ada.user_id]
    assert (shown["email"], shown["name"], shown["role"], shown["source"]) == (
        ada.email, "Ada", "reader", "bookmesh",
    )  # fmt: skip
    assert (shown["n_ratings"], shown["n_log_ins"]) == (1, 1)
    assert (nobody["total"], nobody["items"]) == (0, [])
    assert admin.ask("POST", f"{PATH}/find-user", {"email": "no e-mail"}).status_code == 422


def test_readers_are_listed_with_and_without_an_account(admin: Person) -> None:
    imported = do(admin, "GET", "/users?source=tests&limit=2", status=200)
    admins = do(admin, "GET", "/users?role=admin&limit=500", status=200)

    assert [each["user_id"] for each in imported["items"]] == [SPACE_READER, SOUP_FAN]
    assert (imported["total"], imported["items"][0]["email"]) == (4, None)
    assert admin.user_id in [each["user_id"] for each in admins["items"]]
    assert admins["total"] == len(admins["items"])


def test_a_role_needs_an_account(admin: Person) -> None:
    answers = [
        code_of(admin.ask("PUT", f"{PATH}/users/{user_id}/role", {"role": "admin"}))
        for user_id in (SOUP_FAN, 987654)
    ]

    assert answers == [(409, "account_missing"), (404, "user_not_found")]


def test_a_reader_is_logged_out_everywhere(client: httpx.Client, admin: Person) -> None:
    ada = sign_up(client)

    do(admin, "POST", f"/users/{ada.user_id}/logout")

    assert code_of(ada.ask("GET", "/v1/me")) == (401, "unauthenticated")
    refreshed = client.post("/v1/auth/refresh", json={"refresh_token": ada.tokens["refresh_token"]})
    assert refreshed.status_code == 401
    assert read_last_entry(admin) == ("log-out", f"user {ada.user_id}", {})
    assert code_of(admin.ask("POST", f"{PATH}/users/987654/logout")) == (404, "user_not_found")


def test_an_imported_reader_gets_an_account_by_a_link(client: httpx.Client, admin: Person) -> None:
    link = do(admin, "POST", f"/users/{STRANGER}/claim-link", status=201)["link"]
    page, _, token = link.partition("#claim=")

    form = {"token": token, "email": "stranger@example.org", "name": "Stranger", "password": PASSWORD}
    claimed = client.post("/v1/auth/claim", json=form)

    assert page == "https://books.example/account"
    assert claimed.json()["user_id"] == STRANGER
    again = admin.ask("POST", f"{PATH}/users/{STRANGER}/claim-link")
    assert code_of(again) == (409, "account_taken")
    assert read_last_entry(admin) == ("claim-link", f"user {STRANGER}", {})


@pytest.mark.parametrize("imported", [True, False])
def test_everything_about_a_reader_is_deleted(
    client: httpx.Client, admin: Person, db: Database, imported: bool
) -> None:
    user_id = PICKY_READER if imported else sign_up(client, loved_books=[11]).user_id

    do(admin, "DELETE", f"/users/{user_id}")

    with db.session() as session:
        left = select(func.count()).select_from(Rating).where(Rating.user_id == user_id)
        assert session.scalar(left) == 0
    assert code_of(admin.ask("GET", f"{PATH}/users/{user_id}")) == (404, "user_not_found")
    assert code_of(admin.ask("DELETE", f"{PATH}/users/{user_id}")) == (404, "user_not_found")
    assert read_last_entry(admin) == ("erase-user", f"user {user_id}", {})


def test_a_key_is_shown_once_and_good_until_it_is_revoked(
    client: httpx.Client, admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "FRESH_S", 0.0)
    created = do(admin, "POST", "/keys", {"name": "shop", "scopes": ["readers"], "per_minute": 9}, status=201)
    made = read_last_entry(admin)
    headers, path = {"Authorization": f"Bearer {created['key']}"}, f"/v1/users/{SOUP_FAN}/ratings"

    before = client.get(path, headers=headers)
    listed = do(admin, "GET", "/keys", status=200)
    taken = admin.ask("POST", f"{PATH}/keys", {"name": "shop", "scopes": ["readers"]})
    do(admin, "DELETE", "/keys/shop")

    assert before.status_code == 200
    assert client.get(path, headers=headers).status_code == 401
    [line] = [each for each in listed["items"] if each["name"] == "shop"]
    assert (line["scopes"], line["per_minute"], line["revoked_at"]) == (["readers"], 9, None)
    assert created["key"] not in str(listed)
    assert code_of(taken) == (409, "key_name_taken")
    assert code_of(admin.ask("DELETE", f"{PATH}/keys/shop")) == (404, "key_not_found")
    assert made == ("create-key", "key shop", {"scopes": ["readers"]})
    assert read_last_entry(admin) == ("revoke-key", "key shop", {})


@pytest.mark.parametrize(
    "body",
    [
        {"name": "a b", "scopes": ["readers"]},
        {"name": "shop2\n", "scopes": ["readers"]},
        {"name": "shop2", "scopes": []},
        {"name": "shop2", "scopes": ["everything"]},
        {"name": "shop2", "scopes": ["readers"], "per_minute": 0},
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(admin: Person, body: dict[str, object]) -> None:
    assert admin.ask("POST", f"{PATH}/keys", body).status_code == 422


def test_the_log_is_filtered_and_names_no_person(client: httpx.Client, admin: Person, db: Database) -> None:
    ada = sign_up(client)
    do(admin, "PUT", f"/users/{ada.user_id}/role", {"role": "admin"})
    do(admin, "PUT", f"/users/{ada.user_id}/role", {"role": "reader"})

    mine = do(admin, "GET", f"/audit?target=user {ada.user_id}", status=200)
    first = do(admin, "GET", f"/audit?target=user {ada.user_id}&limit=1&offset=1", status=200)["items"]
    none = [
        do(admin, "GET", f"/audit?{query}", status=200)["total"]
        for query in ("actor=cli", "since=4102444800", "action=nothing")
    ]

    assert [each["detail"] for each in mine["items"]] == [{"role": "reader"}, {"role": "admin"}]
    assert first == mine["items"][1:]
    assert none == [0, 0, 0]
    with db.session() as session:
        written = [f"{row.target} {row.detail}" for row in session.scalars(select(AuditEntry))]
    assert [text for text in written if "example.org" in text or "Ada" in text] == []


def test_a_role_holds_from_the_next_request_on(client: httpx.Client, admin: Person) -> None:
    second = sign_up(client)
    before = second.ask("GET", f"{PATH}/audit")

    do(admin, "PUT", f"/users/{second.user_id}/role", {"role": "admin"})
    as_admin = second.ask("GET", f"{PATH}/audit")
    do(admin, "PUT", f"/users/{second.user_id}/role", {"role": "reader"})

    assert (before.status_code, as_admin.status_code) == (403, 200)
    assert code_of(second.ask("GET", f"{PATH}/audit")) == (403, "forbidden")


@pytest.mark.parametrize("body", [{"role": "owner"}, {"role": None}, {}, [], {"role": "admin", "also": 1}])
def test_a_role_that_makes_no_sense_is_refused(admin: Person, body: object) -> None:
    assert admin.ask("PUT", f"{PATH}/users/{admin.user_id}/role", body).status_code == 422
