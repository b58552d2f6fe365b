"""By its id, what becomes of a list can be told to have come of it."""

from pathlib import Path

import httpx

from catalog.tables import LIST_ID_LENGTH
from gateway.recommend.list_ids import MODES, SURFACES, name_list, read_list_id
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
    assert [read_list_id(each) for each in ids] == [
        ("recommendations", "collaborative"),
        ("recommendations", "collaborative"),
        ("recommendations", "popular"),
        ("popular", "popular"),
        ("popular", "popular"),
        ("similar", "blend"),
        ("search", "keyword"),
        ("search", "semantic"),
    ]
    assert max(map(len, ids)) <= LIST_ID_LENGTH


def test_a_list_id_of_whoever_makes_names_up_tells_nothing() -> None:
    assert {read_list_id(made_up) for made_up in (None, "", "5f2c1a90", "home.popular.5f", "search.5f")} == {
        ("other", "other")
    }


def test_every_mode_of_a_list_fits_into_the_catalog() -> None:
    assert max(len(name_list(surface, mode)) for surface in SURFACES for mode in MODES) <= LIST_ID_LENGTH


def test_a_rating_makes_another_list(home: Path, urls: dict[str, str]) -> None:
    own = f"/v1/users/{SPACE_READER}/recommendations"

    with running.gateway(running.settings_for(home, urls)) as client:
        before = _id(client, own)
        client.put(f"/v1/users/{SPACE_READER}/ratings/44", json={"rating": 9})

        assert _id(client, own) != before
