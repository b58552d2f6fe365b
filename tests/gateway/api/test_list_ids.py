"""By its id, what becomes of a list can be told to have come of it."""

from pathlib import Path

import httpx

from tests.gateway import running
from tests.gateway.running import SPACE_READER, STRANGER


def _id(client: httpx.Client, path: str, **params: str | int) -> str:
    list_id: str = client.get(path, params=params).json()["list_id"]
    return list_id


def test_equal_lists_have_one_id_and_others_another(shared: httpx.Client) -> None:
    own = f"/v1/users/{SPACE_READER}/recommendations"
    ids = [
        _id(shared, own),
        _id(shared, own, k=3),
        _id(shared, f"/v1/users/{STRANGER}/recommendations"),
        _id(shared, "/v1/books/popular"),
        _id(shared, "/v1/books/popular", user_id=SPACE_READER),
        _id(shared, "/v1/books/11/similar"),
        _id(shared, "/v1/search", q="space"),
        _id(shared, "/v1/search/semantic", q="space"),
    ]

    assert len(set(ids)) == len(ids)
    assert _id(shared, own) == ids[0]
    assert {len(each) for each in ids} == {32}


def test_a_rating_makes_another_list(home: Path, urls: dict[str, str]) -> None:
    own = f"/v1/users/{SPACE_READER}/recommendations"

    with running.gateway(running.settings_for(home, urls)) as client:
        before = _id(client, own)
        client.put(f"/v1/users/{SPACE_READER}/ratings/44", json={"rating": 9})

        assert _id(client, own) != before
