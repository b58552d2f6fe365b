"""Readers whom services bring."""

import httpx

from tests.gateway.accounts.people import code_of, sign_up
from tests.gateway.running import KEY

SERVICE = {"Authorization": f"Bearer {KEY}"}
FORM = {
    "favourite_subjects": ["soup"],
    "favourite_authors": ["Author 1"],
    "loved_books": [11],
    "country": "Portugal",
}


def test_a_service_creates_readers_and_acts_for_them(client: httpx.Client) -> None:
    created = client.post("/v1/users", json=FORM, headers=SERVICE)

    path = f"/v1/users/{created.json()['user_id']}"
    rated = client.put(f"{path}/ratings/22", json={"rating": 8}, headers=SERVICE)
    ratings = client.get(f"{path}/ratings", headers=SERVICE).json()
    listed = client.get(f"{path}/recommendations", headers=SERVICE).json()
    assert (created.status_code, rated.status_code) == (201, 201)
    assert {item["book_id"]: item["rating"] for item in ratings["items"]} == {11: 10, 22: 8}
    assert listed["items"]
    assert not {11, 22} & {item["book_id"] for item in listed["items"]}


def test_a_reader_of_whom_nothing_is_told_gets_a_list_too(client: httpx.Client) -> None:
    user_id = client.post("/v1/users", json={}, headers=SERVICE).json()["user_id"]

    assert client.get(f"/v1/users/{user_id}/recommendations", headers=SERVICE).json()["items"]


def test_only_services_create_readers(client: httpx.Client) -> None:
    assert code_of(client.post("/v1/users", json={})) == (401, "unauthenticated")
    assert code_of(client.post("/v1/users", json={}, headers=sign_up(client).headers)) == (403, "forbidden")


def test_a_form_that_makes_no_reader_leaves_none(client: httpx.Client) -> None:
    refused = [
        client.post("/v1/users", json=form, headers=SERVICE)
        for form in ({"favourite_authors": ["Nobody"]}, {"loved_books": [5]}, {"email": "ada@example.org"})
    ]

    assert [answer.is_client_error for answer in refused] == [True, True, True]
