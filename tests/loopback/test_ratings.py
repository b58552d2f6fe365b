"""A rating counts in the very next list, and taking it back restores the one before."""

from typing import Any

import pytest

from tests.meshes import Mesh

pytestmark = pytest.mark.loopback


def recommend(mesh: Mesh, user_id: int) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = mesh.get(f"/v1/users/{user_id}/recommendations", k=20)["items"]
    return items


def test_a_rated_book_is_gone_from_the_next_list_and_back_after_its_removal(mesh: Mesh) -> None:
    before = recommend(mesh, 101)
    path = f"/v1/users/101/ratings/{before[0]['book_id']}"

    stored = mesh.client.put(path, json={"rating": 9})
    during = recommend(mesh, 101)
    removed = mesh.client.delete(path)

    assert stored.status_code == 201
    assert removed.status_code == 204
    assert before[0]["book_id"] not in [item["book_id"] for item in during]
    assert recommend(mesh, 101) == before


def test_a_rating_moves_the_list_and_a_changed_one_moves_it_again(mesh: Mesh) -> None:
    path = f"/v1/users/102/ratings/{recommend(mesh, 102)[-1]['book_id']}"

    statuses, lists = [], []
    for rating in (10, 1, None):
        statuses.append(mesh.client.put(path, json={"rating": rating}).status_code)
        lists.append(recommend(mesh, 102))

    mesh.client.delete(path)
    assert statuses == [201, 200, 200]
    assert lists[0] != lists[1] != lists[2]


def test_a_dozen_readers_see_each_of_their_own_ratings_at_once(mesh: Mesh) -> None:
    for user_id in range(110, 122):
        for _ in range(3):
            rated = recommend(mesh, user_id)[0]["book_id"]
            mesh.client.put(f"/v1/users/{user_id}/ratings/{rated}", json={"rating": 7})
            assert rated not in [item["book_id"] for item in recommend(mesh, user_id)]


def test_the_newest_rating_comes_first_in_the_history(mesh: Mesh) -> None:
    book_id = recommend(mesh, 103)[0]["book_id"]
    total = mesh.get("/v1/users/103/ratings")["total"]

    mesh.client.put(f"/v1/users/103/ratings/{book_id}", json={"rating": 8.5})

    history = mesh.get("/v1/users/103/ratings", limit=1)
    assert history["total"] == total + 1
    assert (history["items"][0]["book_id"], history["items"][0]["rating"]) == (book_id, 8.5)


def test_a_rated_book_leaves_the_other_lists_of_that_reader_too(mesh: Mesh) -> None:
    rated = mesh.get("/v1/books/popular", user_id=104, k=1)["items"][0]["book_id"]

    mesh.client.put(f"/v1/users/104/ratings/{rated}", json={"rating": None})

    own = mesh.get("/v1/books/popular", user_id=104, k=50)["items"]
    everyones = mesh.get("/v1/books/popular", k=50)["items"]
    assert rated not in [item["book_id"] for item in own]
    assert rated in [item["book_id"] for item in everyones]


def test_an_explanation_names_books_that_the_reader_has_read(mesh: Mesh) -> None:
    book_id = recommend(mesh, 105)[0]["book_id"]
    history = {item["book_id"] for item in mesh.get("/v1/users/105/ratings", limit=500)["items"]}

    because = mesh.get(f"/v1/users/105/recommendations/{book_id}/why")["because"]

    assert because
    assert {each["book_id"] for each in because} <= history
    assert sum(each["share"] for each in because) <= 1.001
