"""What readers read and write of themselves."""

import threading
from typing import Any

import httpx
import pytest

from catalog import accounts
from catalog.database import Database
from tests.gateway.accounts.people import PASSWORD, code_of, log_in, new_email, sign_up
from tests.gateway.running import DISMISSED, PICKY_READER


def test_a_profile_changes_by_what_is_given(client: httpx.Client) -> None:
    ada = sign_up(client, country="Chile", favourite_subjects=["Soup", "Space"], gender="female")

    changed = ada.ask(
        "PATCH", "/v1/me", {"country": None, "favourite_subjects": ["SPACE"], "name": "Ada King"}
    )

    assert changed.status_code == 200
    assert changed.json() == ada.get("/v1/me")
    assert (changed.json()["name"], changed.json()["country"]) == ("Ada King", None)
    assert (changed.json()["favourite_subjects"], changed.json()["gender"]) == (["Space"], "female")


def test_the_very_next_list_knows_a_changed_taste(client: httpx.Client) -> None:
    ada = sign_up(client, favourite_subjects=["Soup"])
    before = ada.get("/v1/me/recommendations?k=2")["items"]

    ada.ask("PATCH", "/v1/me", {"favourite_subjects": ["Space"]})

    after = ada.get("/v1/me/recommendations?k=2")["items"]
    assert {item["main_subject"] for item in before} == {"Soup"}
    assert {item["main_subject"] for item in after} == {"Space"}


def test_a_new_email_needs_the_password_and_must_be_free(client: httpx.Client) -> None:
    ada, bob, email = sign_up(client), sign_up(client), new_email()

    without = ada.ask("PATCH", "/v1/me", {"email": email})
    wrong = ada.ask("PATCH", "/v1/me", {"email": email, "current_password": "wrong password"})
    taken = ada.ask("PATCH", "/v1/me", {"email": bob.email, "current_password": PASSWORD})
    done = ada.ask("PATCH", "/v1/me", {"email": email.upper(), "current_password": PASSWORD})

    assert code_of(without) == code_of(wrong) == (401, "wrong_credentials")
    assert code_of(taken) == (409, "email_taken")
    assert done.json()["email"] == email
    assert code_of(log_in(client, ada.email)) == (401, "wrong_credentials")
    assert log_in(client, email).status_code == 200


@pytest.mark.parametrize("change", [{"role": "admin"}, {"user_id": 1}, {"name": ""}, {"country": 5}, [], 1])
def test_what_is_no_change_of_a_profile_is_refused(client: httpx.Client, change: Any) -> None:
    assert code_of(sign_up(client).ask("PATCH", "/v1/me", change)) == (422, "invalid_request")


def test_ratings_are_given_listed_counted_and_taken_back(client: httpx.Client) -> None:
    ada = sign_up(client)
    path = "/v1/me/ratings/11"

    statuses = [
        ada.ask("PUT", path, {"rating": 8}).status_code,
        ada.ask("PUT", path, {"rating": 9}).status_code,
        ada.ask("PUT", "/v1/me/ratings/22", {"rating": None}).status_code,
    ]

    assert statuses == [201, 200, 201]
    listed = ada.get("/v1/me/ratings")
    assert {row["book_id"]: row["rating"] for row in listed["items"]} == {11: 9, 22: None}
    assert ada.get("/v1/me/statistics") == {
        "n_books": 2,
        "n_rated": 1,
        "mean_rating": 9,
        "n_by_rating": {"9": 1},
        "subjects": [{"name": "Space", "n_books": 2, "mean_rating": 9}],
    }
    assert ada.ask("DELETE", path).status_code == 204
    assert code_of(ada.ask("DELETE", path)) == (404, "rating_not_found")
    assert ada.get("/v1/me/ratings")["total"] == 1


def test_many_ratings_are_stored_or_none(client: httpx.Client) -> None:
    ada = sign_up(client, loved_books=[11])
    given = [{"book_id": 11, "rating": 2}, {"book_id": 22, "rating": 7}, {"book_id": 22, "rating": 8}]

    stored = ada.ask("POST", "/v1/me/ratings", {"ratings": given})
    refused = ada.ask("POST", "/v1/me/ratings", {"ratings": [*given, {"book_id": 5, "rating": 1}]})
    again = ada.ask("POST", "/v1/me/ratings", {"ratings": given})

    assert stored.json() == {"n_new": 1, "n_changed": 1}
    assert (*code_of(refused), refused.json()["unknown"]) == (422, "unknown_books", ["5"])
    assert again.json() == {"n_new": 0, "n_changed": 2}
    assert {row["book_id"]: row["rating"] for row in ada.get("/v1/me/ratings")["items"]} == {11: 2, 22: 8}


def test_of_those_who_write_one_rating_at_once_none_fails(client: httpx.Client) -> None:
    ada, statuses = sign_up(client), list[int]()

    def rate() -> None:
        for rating in (3, 4):
            statuses.append(ada.ask("PUT", "/v1/me/ratings/11", {"rating": rating}).status_code)

    threads = [threading.Thread(target=rate) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [200] * 9 + [201]
    assert [row["rating"] for row in ada.get("/v1/me/ratings")["items"]] in ([3], [4])


def test_what_was_read_comes_up_again_only_if_asked_for(client: httpx.Client) -> None:
    ada = sign_up(client, loved_books=[11, 22])

    new = {item["book_id"] for item in ada.get("/v1/me/recommendations?k=12")["items"]}
    all_of_it = {
        item["book_id"] for item in ada.get("/v1/me/recommendations?k=12&exclude_rated=false")["items"]
    }

    assert not {11, 22} & new
    assert {11, 22} <= all_of_it


def test_a_list_that_is_refreshed_is_as_good(client: httpx.Client) -> None:
    ada = sign_up(client, loved_books=[11])

    assert ada.get("/v1/me/recommendations?refresh=true") == ada.get("/v1/me/recommendations")


def test_the_reason_is_told_of_my_own_books(client: httpx.Client) -> None:
    ada = sign_up(client, loved_books=[11, 22])
    listed = ada.get("/v1/me/recommendations?k=1")["items"]

    told = ada.get(f"/v1/me/recommendations/{listed[0]['book_id']}/why")

    assert told["user_id"] == ada.user_id
    assert {reason["book_id"] for reason in told["because"]} <= {11, 22}


def test_everything_about_me_is_handed_out_without_secrets(client: httpx.Client) -> None:
    ada = sign_up(client, loved_books=[11], favourite_subjects=["Soup"], country="Chile")

    exported = ada.get("/v1/me/export")["tables"]

    assert exported["accounts"][0]["email"] == ada.email
    assert exported["users"][0]["country"] == "Chile"
    assert exported["ratings"][0]["book_id"] == exported["books"][0]["book_id"] == 11
    assert len(exported["user_subjects"]) == 1
    assert not {"password_hash", "current_hash", "token_hash"} & {
        name for rows in exported.values() for row in rows for name in row
    }


def test_of_who_leaves_nothing_is_left(client: httpx.Client) -> None:
    ada = sign_up(client, loved_books=[11])

    assert ada.ask("DELETE", "/v1/me").status_code == 204

    assert code_of(ada.ask("GET", "/v1/me")) == (401, "unauthenticated")
    assert code_of(ada.ask("DELETE", "/v1/me")) == (401, "unauthenticated")
    refreshed = client.post("/v1/auth/refresh", json={"refresh_token": ada.tokens["refresh_token"]})
    assert code_of(refreshed) == (401, "unauthenticated")
    assert code_of(log_in(client, ada.email)) == (401, "wrong_credentials")
    assert sign_up(client, email=ada.email).user_id != ada.user_id


def test_events_of_before_count_for_who_claims(client: httpx.Client, db: Database) -> None:
    with db.session(write=True) as session:
        token = accounts.issue_claim(session, PICKY_READER)
    form = {"token": token, "email": new_email(), "name": "Picky", "password": PASSWORD}
    claimed = client.post("/v1/auth/claim", json=form).json()

    listed = client.get(
        "/v1/me/recommendations?k=12", headers={"Authorization": f"Bearer {claimed['access_token']}"}
    ).json()

    assert DISMISSED not in {item["book_id"] for item in listed["items"]}
