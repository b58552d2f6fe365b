"""Signing up, logging in and out, and all that tokens must not be good for."""

import threading
import time
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import jwt
import pytest
from argon2 import PasswordHasher
from sqlalchemy import update

from catalog import accounts, tokens
from catalog.database import Database
from catalog.tables import Account, Purpose, Role, TokenFamily
from gateway.accounts import mails, passwords, sessions
from tests.gateway import running
from tests.gateway.accounts.people import PASSWORD, Person, code_of, log_in, new_email, sign_up
from tests.mail.smtp import Mailbox
from tests.meshes import wait_until

NOT_GOOD = (401, "unauthenticated")


def read_secret(home: Path) -> bytes:
    return bytes.fromhex((home / "secrets" / "signing").read_text())


def test_who_signs_up_is_logged_in(client: httpx.Client) -> None:
    ada = sign_up(client, name=" Ada ")

    profile = ada.get("/v1/me")

    assert (profile["user_id"], profile["email"], profile["name"]) == (ada.user_id, ada.email, "Ada")
    assert profile["role"] == "reader"
    assert ada.tokens["expires_in"] == 900


def test_what_the_form_tells_makes_the_first_list(client: httpx.Client) -> None:
    soup_fan = sign_up(client, favourite_subjects=["soup"], country="portugal")

    profile = soup_fan.get("/v1/me")
    listed = soup_fan.get("/v1/me/recommendations?k=3")

    assert profile["favourite_subjects"] == ["Soup"]
    assert profile["country"] == "Portugal"
    assert listed["mode"] == "subjects"
    assert {item["main_subject"] for item in listed["items"]} == {"Soup"}


def test_books_of_favourite_authors_come_first(client: httpx.Client) -> None:
    reader = sign_up(client, favourite_authors=["AUTHOR 4"])
    assert reader.get("/v1/me")["favourite_authors"] == ["Author 4"]

    listed = reader.get("/v1/me/recommendations?k=3")

    assert listed["mode"] == "subjects"
    assert {item["title"] for item in listed["items"][:2]} == {"Soup for Everyone", "The Joy of Soup"}


def test_loved_books_are_rated_and_make_the_list(client: httpx.Client) -> None:
    reader = sign_up(client, loved_books=[11, 22])

    assert {row["book_id"]: row["rating"] for row in reader.get("/v1/me/ratings")["items"]} == {
        11: 10,
        22: 10,
    }
    assert reader.get("/v1/me/recommendations?k=3")["mode"] == "collaborative"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"loved_books": [5]}, "unknown_books"),
        ({"favourite_authors": ["Nobody"]}, "unknown_authors"),
        ({"favourite_subjects": ["Nothing"]}, "unknown_subjects"),
        ({"country": "Atlantis"}, "invalid_request"),
        ({"gender": "f"}, "invalid_request"),
        ({"age_group": "0-99"}, "invalid_request"),
        ({"email": "ada"}, "invalid_request"),
        ({"email": "ada@example.org\0"}, "invalid_request"),
        ({"name": " "}, "invalid_request"),
        ({"name": "A\0da"}, "invalid_request"),
        ({"name": "A" * 201}, "invalid_request"),
        ({"password": "1234567"}, "invalid_request"),
        ({"password": "x" * 257}, "invalid_request"),
        ({"password": 12345678}, "invalid_request"),
        ({"role": "admin"}, "invalid_request"),
    ],
)
def test_a_form_that_is_wrong_makes_no_reader(
    client: httpx.Client, change: dict[str, Any], code: str
) -> None:
    form = {"email": new_email(), "name": "Ada", "password": PASSWORD}

    refused = client.post("/v1/auth/signup", json=form | change)

    assert code_of(refused) == (422, code)
    assert code_of(log_in(client, form["email"])) == (401, "wrong_credentials")
    assert "example.org" not in refused.text


def test_one_email_is_one_account_in_any_case(client: httpx.Client) -> None:
    ada = sign_up(client)

    again = client.post(
        "/v1/auth/signup", json={"email": ada.email.upper(), "name": "Eve", "password": PASSWORD}
    )

    assert code_of(again) == (409, "email_taken")
    assert log_in(client, ada.email.upper()).status_code == 200


def test_of_those_who_sign_up_with_one_email_at_once_one_does(client: httpx.Client) -> None:
    form = {"email": new_email(), "name": "Ada", "password": PASSWORD}
    statuses: list[int] = []
    threads = [
        threading.Thread(
            target=lambda: statuses.append(client.post("/v1/auth/signup", json=form).status_code)
        )
        for _ in range(6)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [201, 409, 409, 409, 409, 409]


def test_a_wrong_password_and_an_unknown_email_are_one_answer(client: httpx.Client) -> None:
    ada = sign_up(client)

    wrong, unknown = log_in(client, ada.email, "wrong password"), log_in(client, new_email())

    assert code_of(wrong) == code_of(unknown) == (401, "wrong_credentials")
    assert wrong.json()["detail"] == unknown.json()["detail"]
    assert wrong.headers["WWW-Authenticate"] == "Bearer"


def test_an_unknown_email_takes_as_long_as_a_wrong_password(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher())  # as in earnest
    ada = sign_up(client)
    seconds: dict[str, list[float]] = {ada.email: [], "nobody@example.org": []}

    for _ in range(7):
        for email, taken in seconds.items():
            started = time.perf_counter()
            log_in(client, email, "wrong password")
            taken.append(time.perf_counter() - started)

    wrong, unknown = map(median, seconds.values())
    assert 0.5 < unknown / wrong < 2


def test_a_password_is_one_however_it_is_typed(client: httpx.Client) -> None:
    ada = sign_up(client, password="pâté of 12 ﬁgs")

    assert log_in(client, ada.email, "pa\u0302te\u0301 of 12 figs").status_code == 200


def forge(home: Path, person: Person, *, key: bytes | None = None, **claims: Any) -> str:
    """A token as ours are, but for these claims, or another key."""
    good = jwt.decode(person.tokens["access_token"], options={"verify_signature": False})
    return jwt.encode({**good, **claims}, key or read_secret(home), "HS256")


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_tokens_that_are_none_of_ours_are_refused(client: httpx.Client, accounts_home: Path) -> None:
    ada = sign_up(client)
    header, claims, signature = ada.tokens["access_token"].split(".")
    unsigned = jwt.encode({"sub": str(ada.user_id), "exp": 2**31}, None, "none")
    bad = [
        "x",
        f"{header}.{claims}.",
        f"{header}.{claims}.{signature[:-4]}AAAA",
        unsigned,
        forge(accounts_home, ada, key=b"x" * 32),
        jwt.encode({"sub": str(ada.user_id)}, read_secret(accounts_home), "HS256"),
        jwt.encode({"exp": 2**31}, read_secret(accounts_home), "HS512"),
        forge(accounts_home, ada, sub="ada"),
        forge(accounts_home, ada, role="root"),
        forge(accounts_home, ada, family="another"),
        forge(accounts_home, ada, sub=str(running.SPACE_READER)),
        ada.tokens["refresh_token"],
        "bmk_nothing",
    ]

    for token in bad:
        refused = client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
        assert code_of(refused) == NOT_GOOD, token
        assert refused.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_that_is_too_old_says_so(client: httpx.Client, accounts_home: Path) -> None:
    token = forge(accounts_home, sign_up(client), exp=int(time.time()) - 1)

    refused = client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})

    assert code_of(refused) == (401, "token_expired")


@pytest.mark.parametrize("header", ["", "Bearer", "Basic YTpi", "bearer\tx", "Token x"])
def test_what_is_no_bearer_is_refused(client: httpx.Client, header: str) -> None:
    assert code_of(client.get("/v1/me", headers={"Authorization": header})) == NOT_GOOD


def test_without_a_token_nothing_of_a_reader_is_there(client: httpx.Client) -> None:
    assert code_of(client.get("/v1/me")) == NOT_GOOD


def refresh(client: httpx.Client, token: str) -> httpx.Response:
    return client.post("/v1/auth/refresh", json={"refresh_token": token})


def test_a_refresh_token_is_good_once_and_its_reuse_ends_the_log_in(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "GRACE_S", 0)
    ada = sign_up(client)
    other = log_in(client, ada.email).json()

    second = refresh(client, ada.tokens["refresh_token"])

    assert second.status_code == 200
    assert Person(client, ada.email, second.json()).get("/v1/me")["email"] == ada.email
    assert code_of(refresh(client, ada.tokens["refresh_token"])) == (401, "token_reused")
    assert code_of(refresh(client, second.json()["refresh_token"])) == NOT_GOOD
    assert code_of(Person(client, ada.email, second.json()).ask("GET", "/v1/me")) == NOT_GOOD
    assert refresh(client, other["refresh_token"]).status_code == 200


def test_a_log_in_that_was_not_used_for_long_has_expired(client: httpx.Client, db: Database) -> None:
    ada = sign_up(client)
    with db.session(write=True) as session:
        session.execute(update(TokenFamily).filter_by(user_id=ada.user_id).values(expires_at=1))

    assert code_of(refresh(client, ada.tokens["refresh_token"])) == (401, "token_expired")


def test_who_logs_out_is_out_at_once(client: httpx.Client) -> None:
    ada = sign_up(client)
    there = Person(client, ada.email, log_in(client, ada.email).json())

    assert ada.ask("POST", "/v1/auth/logout").status_code == 204

    assert code_of(ada.ask("GET", "/v1/me")) == NOT_GOOD
    assert code_of(refresh(client, ada.tokens["refresh_token"])) == NOT_GOOD
    assert there.get("/v1/me")


def test_who_logs_out_everywhere_is_out_everywhere(client: httpx.Client) -> None:
    ada = sign_up(client)
    there = Person(client, ada.email, log_in(client, ada.email).json())
    assert there.get("/v1/me")

    assert ada.ask("POST", "/v1/auth/logout-everywhere").status_code == 204

    assert code_of(there.ask("GET", "/v1/me")) == NOT_GOOD
    assert code_of(refresh(client, there.tokens["refresh_token"])) == NOT_GOOD


def test_a_log_in_that_another_gateway_ended_is_soon_unknown(
    client: httpx.Client, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = sign_up(client)
    assert ada.get("/v1/me")
    with db.session(write=True) as session:
        tokens.log_out_everywhere(session, ada.user_id)

    assert ada.get("/v1/me")
    monkeypatch.setattr(sessions, "FRESH_S", 0.0)
    assert code_of(ada.ask("GET", "/v1/me")) == NOT_GOOD


def test_what_was_ended_stays_so_when_the_gateway_starts_again(home: Path) -> None:
    settings = running.settings_for(home, {})
    with running.gateway(settings) as client:
        ada, bob = sign_up(client), sign_up(client)
        ada.ask("POST", "/v1/auth/logout")

    with running.gateway(settings) as client:
        assert code_of(Person(client, ada.email, ada.tokens).ask("GET", "/v1/me")) == NOT_GOOD
        assert code_of(refresh(client, ada.tokens["refresh_token"])) == NOT_GOOD
        assert Person(client, bob.email, bob.tokens).get("/v1/me")


def test_a_new_password_ends_all_other_log_ins(client: httpx.Client) -> None:
    ada = sign_up(client)
    there = Person(client, ada.email, log_in(client, ada.email).json())
    change = {"current_password": PASSWORD, "new_password": "another password"}

    wrong = ada.ask("POST", "/v1/auth/password", {**change, "current_password": "wrong password"})
    changed = ada.ask("POST", "/v1/auth/password", change)

    assert code_of(wrong) == (401, "wrong_credentials")
    assert changed.status_code == 200
    assert Person(client, ada.email, changed.json()).get("/v1/me")
    assert code_of(there.ask("GET", "/v1/me")) == NOT_GOOD
    assert code_of(log_in(client, ada.email)) == (401, "wrong_credentials")
    assert log_in(client, ada.email, "another password").status_code == 200


def mailed_token(mailbox: Mailbox, email: str, purpose: str) -> str:
    wait_until(lambda: any(message["To"] == email for message in mailbox.messages))
    [message] = [message for message in mailbox.messages if message["To"] == email]
    [link] = [line for line in message.get_content().split() if line.startswith("https://")]
    return str(link.removeprefix(f"https://books.example/account#{purpose}="))


def test_a_forgotten_password_is_set_anew_by_a_mailed_token(client: httpx.Client, mailbox: Mailbox) -> None:
    ada = sign_up(client)
    asked = client.post("/v1/auth/reset", json={"email": ada.email})
    token = mailed_token(mailbox, ada.email, "reset")
    confirmation = {"token": token, "new_password": "another password"}

    done = client.post("/v1/auth/reset/confirm", json=confirmation)
    again = client.post("/v1/auth/reset/confirm", json=confirmation)

    assert (asked.status_code, done.status_code) == (202, 200)
    assert code_of(again) == (422, "link_invalid")
    assert code_of(ada.ask("GET", "/v1/me")) == NOT_GOOD
    assert log_in(client, ada.email, "another password").status_code == 200


def test_what_was_mailed_to_a_former_email_is_good_no_more(client: httpx.Client, mailbox: Mailbox) -> None:
    ada = sign_up(client)
    client.post("/v1/auth/reset", json={"email": ada.email})
    token = mailed_token(mailbox, ada.email, "reset")
    ada.ask("PATCH", "/v1/me", {"email": new_email(), "current_password": PASSWORD})

    late = client.post("/v1/auth/reset/confirm", json={"token": token, "new_password": "another password"})

    assert code_of(late) == (422, "link_invalid")


def test_no_log_in_by_the_old_password_outlives_a_new_one(
    client: httpx.Client, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = sign_up(client)

    def compare_slowly(self: PasswordHasher, stored: str, password: bytes) -> bool:
        is_right = verify(self, stored, password)
        with db.session(write=True) as session:  # somebody sets a new one meanwhile
            accounts.set_password(session, ada.user_id, "another hash")
        return is_right

    verify = PasswordHasher.verify
    monkeypatch.setattr(PasswordHasher, "verify", compare_slowly)

    assert code_of(log_in(client, ada.email)) == (401, "wrong_credentials")


def test_nobody_learns_by_a_reset_who_has_an_account(client: httpx.Client, mailbox: Mailbox) -> None:
    email, n_before = new_email(), len(mailbox.messages)

    asked, known = (
        client.post("/v1/auth/reset", json={"email": each}) for each in (email, sign_up(client).email)
    )

    assert (asked.status_code, asked.content) == (known.status_code, known.content)
    wait_until(lambda: len(mailbox.messages) > n_before)
    assert all(message["To"] != email for message in mailbox.messages)


def test_a_mail_that_is_not_taken_is_sent_again(
    client: httpx.Client, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mails, "PAUSES_S", (0.1,) * 50)
    ada, mailbox.refuses = sign_up(client), "RCPT"
    client.post("/v1/auth/reset", json={"email": ada.email})
    time.sleep(0.3)

    mailbox.refuses = None

    assert mailed_token(mailbox, ada.email, "reset")


@pytest.mark.parametrize("token", ["", "x", "x" * 200])
def test_a_token_that_nobody_was_sent_is_refused(client: httpx.Client, token: str) -> None:
    for path, more in {"reset/confirm": {"new_password": PASSWORD}, "claim": CLAIM}.items():
        refused = client.post(f"/v1/auth/{path}", json={"token": token, **more})
        assert code_of(refused) == (422, "link_invalid")


CLAIM = {"email": "claims@example.org", "name": "Ada", "password": PASSWORD}


def test_an_imported_reader_claims_their_history_once(client: httpx.Client, db: Database) -> None:
    with db.session(write=True) as session:
        token = accounts.issue_claim(session, running.SPACE_READER)

    claimed = client.post("/v1/auth/claim", json={"token": token, **CLAIM})
    again = client.post("/v1/auth/claim", json={"token": token, **CLAIM, "email": new_email()})

    reader = Person(client, CLAIM["email"], claimed.json())
    assert (claimed.status_code, reader.user_id) == (201, running.SPACE_READER)
    assert [row["book_id"] for row in reader.get("/v1/me/ratings")["items"]] == [22, 11]
    assert code_of(again) == (422, "link_invalid")


def test_a_link_is_for_what_it_was_handed_out_for(client: httpx.Client, db: Database) -> None:
    ada = sign_up(client)
    with db.session(write=True) as session:
        token = tokens.issue(session, ada.user_id, Purpose.RESET, good_for_s=60)

    refused = client.post("/v1/auth/claim", json={"token": token, **CLAIM, "email": new_email()})

    assert code_of(refused) == (422, "link_invalid")


def test_a_role_that_was_taken_is_gone(
    client: httpx.Client, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "FRESH_S", 0.0)
    ada = sign_up(client)
    for role in (Role.ADMIN, Role.READER):
        with db.session(write=True) as session:
            session.execute(update(Account).filter_by(user_id=ada.user_id).values(role=role))
        assert ada.get("/v1/me")["role"] == role
