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


def test_no_explanation_cites_the_book_itself(mesh: Mesh) -> None:
    for user_id in range(105, 110):
        for item in mesh.get(f"/v1/users/{user_id}/ratings", limit=3)["items"]:
            because = mesh.get(f"/v1/users/{user_id}/recommendations/{item['book_id']}/why")["because"]

            assert item["book_id"] not in [each["book_id"] for each in because]


def test_a_hated_book_is_no_reason(mesh: Mesh) -> None:
    """The strongest reason for the first book of a list is rated 1."""
    first = recommend(mesh, 123)[0]["book_id"]
    path = f"/v1/users/123/recommendations/{first}/why"
    [strongest, *_] = mesh.get(path)["because"]
    rating = f"/v1/users/123/ratings/{strongest['book_id']}"

    mesh.client.put(rating, json={"rating": 1})
    because = mesh.get(path)["because"]

    mesh.client.put(rating, json={"rating": strongest["rating"]})
    assert strongest["book_id"] not in [each["book_id"] for each in because]


def score_similar(mesh: Mesh, similar: set[int], liked: list[dict[str, Any]]) -> float:
    """Mean score of these books in the longest list; what is not in it has less than its last."""
    answer = mesh.client.post("/v1/recommendations", json={"liked": liked, "k": 500}).json()
    scores = {item["book_id"]: item["score"] for item in answer["items"]}
    return sum(scores.get(each, min(scores.values())) for each in similar) / len(similar)


def test_what_is_similar_to_a_book_falls_with_a_1_and_rises_with_a_10(mesh: Mesh) -> None:
    orders = [list_orders(mesh, user_id) for user_id in range(200, 230)]

    n_right = [sum(each) for each in zip(*orders, strict=True)]
    assert min(n_right) >= 28, n_right


def list_orders(mesh: Mesh, user_id: int) -> tuple[bool, ...]:
    """What should hold of a reader's newest book: without it, and with a rating of 1, 6 and 10."""
    history = mesh.get(f"/v1/users/{user_id}/ratings", limit=500)["items"]
    newest, *others = [{"book_id": item["book_id"], "rating": item["rating"]} for item in history]
    path = f"/v1/books/{newest['book_id']}/similar"
    similar = {item["book_id"] for item in mesh.get(path, user_id=user_id, k=10, mode="als")["items"]}

    absent = score_similar(mesh, similar, others)
    hated, fair, loved = (
        score_similar(mesh, similar, [*others, {**newest, "rating": rating}]) for rating in (1, 6, 10)
    )
    return hated < absent, absent < loved, hated < fair, fair < loved


def test_ten_thousand_liked_books_are_answered_and_one_more_is_refused_clearly(mesh: Mesh) -> None:
    liked = [{"book_id": place % 600 + 1, "rating": 9.5} for place in range(10_000)]

    answered = mesh.client.post("/v1/recommendations", json={"liked": liked, "k": 20})
    refused = mesh.client.post("/v1/recommendations", json={"liked": [*liked, liked[0]], "k": 20})

    assert (answered.status_code, len(answered.json()["items"])) == (200, 20)
    assert refused.status_code == 422
    assert "10000" in refused.json()["detail"]
