"""Readers whom services bring."""

import httpx
from sqlalchemy import select

from catalog.database import Database
from catalog.tables import BroughtUser
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


def test_a_form_that_is_sent_again_brings_the_same_reader(client: httpx.Client) -> None:
    form = {**FORM, "external_id": "shop-1"}

    first, again = (client.post("/v1/users", json=form, headers=SERVICE) for _ in "12")
    user_id = first.json()["user_id"]
    client.put(f"/v1/users/{user_id}/ratings/22", json={"rating": 8}, headers=SERVICE)
    later = client.post("/v1/users", json=form, headers=SERVICE)
    other = client.post("/v1/users", json={**form, "external_id": "shop-2"}, headers=SERVICE)

    assert [each.status_code for each in (first, again, later, other)] == [201, 200, 200, 201]
    assert again.json() == later.json() == first.json()
    assert other.json() != first.json()


def test_another_form_of_the_same_reader_contradicts_it(client: httpx.Client) -> None:
    form = {**FORM, "external_id": "shop-3"}
    user_id = client.post("/v1/users", json=form, headers=SERVICE).json()["user_id"]

    other = client.post("/v1/users", json={**form, "country": "Chile"}, headers=SERVICE)

    assert code_of(other) == (409, "external_id_taken")
    assert str(user_id) in other.json()["detail"]


def test_the_id_of_a_service_is_kept_as_a_digest(client: httpx.Client, db: Database) -> None:
    client.post("/v1/users", json={"external_id": "grace@example.org"}, headers=SERVICE)

    with db.session() as session:
        stored = session.execute(select(BroughtUser.external_hash)).scalars().all()
    assert stored
    assert all(len(each) == 64 for each in stored)


def test_only_services_create_readers(client: httpx.Client) -> None:
    assert code_of(client.post("/v1/users", json={})) == (401, "unauthenticated")
    assert code_of(client.post("/v1/users", json={}, headers=sign_up(client).headers)) == (403, "forbidden")


def test_a_form_that_makes_no_reader_leaves_none(client: httpx.Client) -> None:
    refused = [
        client.post("/v1/users", json=form, headers=SERVICE)
        for form in ({"favourite_authors": ["Nobody"]}, {"loved_books": [5]}, {"email": "ada@example.org"})
    ]

    assert [answer.is_client_error for answer in refused] == [True, True, True]
