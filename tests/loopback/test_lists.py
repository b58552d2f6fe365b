"""Lists of real books from the whole mesh: as long as requested, in order, without what the reader knows."""

from typing import Any

import pytest

from contracts.shell import VERSION_HEADER
from tests.homes import N_BOOKS
from tests.loopback.checks import check_authors, check_list
from tests.meshes import Mesh

pytestmark = pytest.mark.loopback

READER = 7
LIKED = [{"book_id": 36, "rating": 9}, {"book_id": 23, "rating": None}]
LIKED_IDS = {36, 23}
REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "auto": (f"/v1/users/{READER}/recommendations", {"mode": "auto"}),
    "collaborative": (f"/v1/users/{READER}/recommendations", {"mode": "collaborative"}),
    "subjects": (f"/v1/users/{READER}/recommendations", {"mode": "subjects"}),
    "popular for a reader": (f"/v1/users/{READER}/recommendations", {"mode": "popular"}),
    "popularity alone": (f"/v1/users/{READER}/recommendations", {"popularity_weight": 1}),
    "taste alone": (f"/v1/users/{READER}/recommendations", {"popularity_weight": 0}),
    "similar, als": ("/v1/books/1/similar", {"mode": "als", "user_id": READER}),
    "similar, subject": ("/v1/books/1/similar", {"mode": "subject", "user_id": READER}),
    "similar, hybrid": ("/v1/books/1/similar", {"mode": "hybrid", "weight": 0.3, "user_id": READER}),
    "popular": ("/v1/books/popular", {"user_id": READER}),
    "semantic": ("/v1/search/semantic", {"q": "a long voyage over the sea", "user_id": READER}),
}
POSTED: dict[str, dict[str, Any]] = {
    "nothing": {},
    "liked": {"liked": LIKED},
    "subjects": {"subjects": ["Science fiction", "War"]},
    "liked and subjects": {"liked": LIKED, "subjects": ["War"], "popularity_weight": 0.5},
}


@pytest.fixture(scope="module")
def history(mesh: Mesh) -> set[int]:
    return read_history(mesh, READER)


def read_history(mesh: Mesh, user_id: int) -> set[int]:
    ratings = mesh.get(f"/v1/users/{user_id}/ratings", limit=500)
    assert ratings["total"] == len(ratings["items"])
    return {item["book_id"] for item in ratings["items"]}


@pytest.mark.parametrize("k", [1, 10, 100, 500])
@pytest.mark.parametrize("requested", REQUESTS.values(), ids=REQUESTS)
def test_a_list_has_exactly_k_books_in_order_without_the_history(
    mesh: Mesh, history: set[int], requested: tuple[str, dict[str, Any]], k: int
) -> None:
    path, params = requested

    body = mesh.get(path, k=k, **params)

    check_list(body, k=k, unwanted=history)
    assert body["degraded"] == []


@pytest.mark.parametrize("k", [1, 10, 100, 500])
@pytest.mark.parametrize("posted", POSTED.values(), ids=POSTED)
def test_anyone_gets_exactly_k_books_in_order_without_what_they_named(
    mesh: Mesh, posted: dict[str, Any], k: int
) -> None:
    response = mesh.client.post("/v1/recommendations", json={**posted, "k": k})

    assert response.status_code == 200
    check_list(response.json(), k=k, unwanted=LIKED_IDS if "liked" in posted else ())


@pytest.mark.parametrize("requested", REQUESTS.values(), ids=REQUESTS)
def test_no_ten_books_in_a_row_have_more_than_two_of_an_author(
    mesh: Mesh, requested: tuple[str, dict[str, Any]]
) -> None:
    path, params = requested

    items = mesh.get(path, k=100, **params)["items"]

    check_authors(items)


@pytest.mark.parametrize("user_id", range(1, 41))
def test_every_reader_gets_ten_books_they_do_not_know(mesh: Mesh, user_id: int) -> None:
    body = mesh.get(f"/v1/users/{user_id}/recommendations")

    check_list(body, k=10, unwanted=read_history(mesh, user_id))
    check_authors(body["items"])
    assert body["mode"] == "collaborative"


def test_a_list_is_as_long_as_the_catalog_has_books_left(mesh: Mesh) -> None:
    """688 books: whoever has read more than 188 of them would run short of 500, nobody else may."""
    liked = [{"book_id": book_id, "rating": None} for book_id in range(1, 301)]

    response = mesh.client.post("/v1/recommendations", json={"liked": liked, "k": 500})

    check_list(response.json(), k=N_BOOKS - 300, unwanted=range(1, 301))


@pytest.mark.parametrize("requested", REQUESTS.values(), ids=REQUESTS)
def test_the_header_names_the_version_of_the_body(mesh: Mesh, requested: tuple[str, dict[str, Any]]) -> None:
    path, params = requested

    response = mesh.client.get(path, params=params)

    assert response.headers[VERSION_HEADER] == response.json()["version"] == mesh.home.store.current()


def test_a_known_reader_gets_what_anyone_with_their_history_would_get(mesh: Mesh) -> None:
    ratings = mesh.get(f"/v1/users/{READER}/ratings", limit=500)["items"]
    liked = [{"book_id": item["book_id"], "rating": item["rating"]} for item in ratings]

    folded_in = mesh.client.post("/v1/recommendations", json={"liked": liked, "k": 20}).json()

    known = mesh.get(f"/v1/users/{READER}/recommendations", k=20)
    assert folded_in["mode"] == known["mode"] == "collaborative"
    assert [item["book_id"] for item in folded_in["items"]] == [item["book_id"] for item in known["items"]]


def test_liked_books_decide_the_list(mesh: Mesh) -> None:
    def recommend(subject: str) -> set[int]:
        liked = mesh.get("/v1/books/popular", subject=subject, k=5)["items"]
        body = {"liked": [{"book_id": item["book_id"], "rating": 10} for item in liked], "k": 20}
        return {
            item["book_id"] for item in mesh.client.post("/v1/recommendations", json=body).json()["items"]
        }

    assert len(recommend("Science fiction") & recommend("Romance")) < 10


def test_popular_books_of_a_subject_are_about_it(mesh: Mesh) -> None:
    items = mesh.get("/v1/books/popular", subject="science fiction", k=30)["items"]

    subjects = [mesh.get(f"/v1/books/{item['book_id']}")["subjects"] for item in items]
    assert len(items) == 30
    assert all("Science fiction" in names for names in subjects)


def test_books_for_a_subject_are_mostly_about_it(mesh: Mesh) -> None:
    body = {"subjects": ["Science fiction"], "popularity_weight": 0, "k": 10}

    items = mesh.client.post("/v1/recommendations", json=body).json()["items"]

    about = ["Science fiction" in mesh.get(f"/v1/books/{item['book_id']}")["subjects"] for item in items]
    assert sum(about) > 5


def test_the_weight_of_hybrid_leads_from_subject_to_als(mesh: Mesh) -> None:
    def similar(**params: Any) -> list[int]:
        return [item["book_id"] for item in mesh.get("/v1/books/1/similar", k=20, **params)["items"]]

    assert similar(mode="hybrid", weight=0) == similar(mode="subject")
    assert similar(mode="hybrid", weight=1) == similar(mode="als")


@pytest.mark.parametrize("typed", ["lighthouse", "lighthuose", "LIGHTHOUSE woolf", "virginia lighthouse"])
def test_a_keyword_finds_its_book_despite_a_typo(mesh: Mesh, typed: str) -> None:
    body = mesh.get("/v1/search", q=typed)

    assert body["mode"] == "keyword"
    assert body["items"][0]["title"] == "To the Lighthouse"


@pytest.mark.parametrize("book_id", [1, 100, 300, 600])
def test_its_own_description_finds_a_book_by_meaning(mesh: Mesh, book_id: int) -> None:
    description = mesh.get(f"/v1/books/{book_id}")["description"]

    body = mesh.get("/v1/search/semantic", q=description)

    assert body["mode"] == "semantic"
    assert book_id in [item["book_id"] for item in body["items"][:3]]
