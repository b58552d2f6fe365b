"""Lists of books over REST: from a gateway before five real servers."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import get_args

import httpx
import pytest
from sqlalchemy import update

from catalog.database import open_database
from catalog.tables import User
from contracts.similarity import SimilarMode
from foundation.arrays import Chosen
from gateway.schemas import BookList
from servers.als.newcomers import Told
from tests.gateway import running
from tests.gateway.running import DISMISSED, PICKY_READER, SOUP_FAN, SPACE_READER, STRANGER, UNTRAINED_BOOK
from tests.servers import tiny

READ = {book_id for book_id, _ in running.SPACE_HISTORY}
ALL = set(tiny.BOOK_IDS.tolist())


def _fetch(client: httpx.Client, path: str, **params: object) -> BookList:
    response = client.get(path, params=params)  # type: ignore[arg-type]
    return _check(response)


def _check(response: httpx.Response) -> BookList:
    assert response.status_code == 200, response.text
    found = BookList.model_validate_json(response.content)
    scores = [item.score for item in found.items]
    ids = [item.book_id for item in found.items]
    assert response.headers["X-Artifact-Version"] == found.version
    assert scores == sorted(scores, reverse=True)
    assert len(set(ids)) == len(ids)
    return found


@pytest.fixture(scope="module")
def without_als(urls: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A gateway over the other four servers."""
    home = running.build_home(tmp_path_factory.mktemp("without_als"))
    with running.gateway(running.settings_for(home, {**urls, "als": running.NOWHERE})) as client:
        yield client


def _ids(found: BookList) -> list[int]:
    return [item.book_id for item in found.items]


def test_a_reader_is_served_from_their_history(shared: httpx.Client, version: str) -> None:
    found = _fetch(shared, f"/v1/users/{SPACE_READER}/recommendations", k=4)

    assert (found.version, found.mode, found.degraded) == (version, "collaborative", [])
    assert set(_ids(found)) == set(tiny.SPACE_IDS) - READ
    assert found.items[0].title in tiny.TITLES
    assert found.items[0].authors


def test_a_reader_without_history_is_served_by_their_subjects(shared: httpx.Client) -> None:
    found = _fetch(shared, f"/v1/users/{SOUP_FAN}/recommendations", k=6, popularity_weight=0)

    assert found.mode == "subjects"
    assert set(_ids(found)) == set(tiny.SOUP_IDS)


def test_a_stranger_is_served_what_is_popular(shared: httpx.Client) -> None:
    found = _fetch(shared, f"/v1/users/{STRANGER}/recommendations", k=3, mode="collaborative")

    assert found.mode == "popular"
    assert _ids(found) == tiny.BOOK_IDS[:3].tolist()


@pytest.mark.parametrize(
    ("mode", "served"), [("auto", "collaborative"), ("subjects", "subjects"), ("popular", "popular")]
)
def test_the_requested_mode_is_served(shared: httpx.Client, mode: str, served: str) -> None:
    found = _fetch(shared, f"/v1/users/{SPACE_READER}/recommendations", mode=mode)

    assert found.mode == served
    assert not READ & set(_ids(found))


@pytest.mark.parametrize("mode", ["auto", "subjects", "popular"])
def test_the_list_is_as_long_as_the_catalog_has_books(shared: httpx.Client, mode: str) -> None:
    found = _fetch(shared, f"/v1/users/{PICKY_READER}/recommendations", k=500, mode=mode)

    assert set(_ids(found)) == ALL - READ - {DISMISSED}


@pytest.mark.parametrize("weight", [0, 0.3, 1])
def test_favourites_and_popularity_are_blended_in_the_share_asked_for(
    shared: httpx.Client, weight: float
) -> None:
    body = {"subjects": ["Soup"], "popularity_weight": weight, "k": 12}

    found = _check(shared.post("/v1/recommendations", json=body))

    told = Told(subjects=["Soup"])
    parts = tiny.newcomers().find(told, tiny.als_model(1).evidence)
    assert parts is not None
    taste = parts["taste"].score(Chosen.all(tiny.BOOK_IDS.size))
    expected = sorted((1 - weight) * (0.6 / 0.9) * taste + weight * tiny.popularity(), reverse=True)
    assert (found.mode, found.degraded) == ("subjects", [])
    assert [item.score for item in found.items] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("weight", [0, 0.3, 1])
def test_without_als_subjects_and_popularity_are_blended_exactly(
    without_als: httpx.Client, weight: float
) -> None:
    body = {"subjects": ["Soup"], "popularity_weight": weight, "k": 12}

    found = _check(without_als.post("/v1/recommendations", json=body))

    model, popularity = tiny.similarity_model(1), tiny.popularity()
    vector = tiny.embedder_model().embed(["Soup"])[0]
    similarity = model.scores(vector.tolist(), tiny.BOOK_IDS.tolist())
    expected = sorted((1 - weight) * similarity + weight * popularity, reverse=True)
    assert (found.mode, found.degraded) == ("subjects", ["als"])
    assert [item.score for item in found.items] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    "told",
    [
        {"age_group": "25-34"},
        {"gender": "female"},
        {"occupation": "Librarian"},
        {"country": "PORTUGAL"},
        {"gender": "female", "age_group": "5-12", "occupation": "lighthouse keeper"},
    ],
)
def test_what_someone_tells_of_themselves_makes_their_list(
    shared: httpx.Client, told: dict[str, str]
) -> None:
    found = _check(shared.post("/v1/recommendations", json={**told, "k": 6, "popularity_weight": 0}))

    assert (found.mode, found.degraded) == ("subjects", [])
    assert set(_ids(found)) == set(tiny.SPACE_IDS)


def test_what_tells_a_version_nothing_leaves_what_is_popular(shared: httpx.Client) -> None:
    found = _check(shared.post("/v1/recommendations", json={"gender": "other", "k": 3}))

    assert (found.mode, found.degraded) == ("popular", [])
    assert _ids(found) == tiny.BOOK_IDS[:3].tolist()


def test_a_reader_is_known_by_the_traits_that_an_import_found(home: Path, urls: dict[str, str]) -> None:
    with closing(open_database(f"sqlite:///{home / 'catalog.db'}")) as db, db.session(write=True) as session:
        session.execute(update(User).where(User.user_id == STRANGER).values(gender="F"))

    with running.gateway(running.settings_for(home, urls)) as client:
        found = _fetch(client, f"/v1/users/{STRANGER}/recommendations", k=6, popularity_weight=0)

    assert found.mode == "subjects"
    assert set(_ids(found)) == set(tiny.SPACE_IDS)


def test_books_of_authors_that_are_named_in_any_spelling_come_first(shared: httpx.Client) -> None:
    found = _check(shared.post("/v1/recommendations", json={"authors": ["author 6", "AUTHOR 2"], "k": 4}))

    assert found.mode == "subjects"
    assert set(_ids(found)[:2]) == {121, 132}
    assert set(_ids(found)[2:]) == {33, 44}


def test_an_unknown_author_is_named(shared: httpx.Client) -> None:
    response = shared.post("/v1/recommendations", json={"authors": ["Author 1", "Nobody"]})

    assert response.status_code == 422
    assert (response.json()["code"], response.json()["unknown"]) == ("unknown_authors", ["Nobody"])


@pytest.mark.parametrize(
    "told", [{"age_group": "0-99"}, {"gender": "F"}, {"occupation": ""}, {"country": "Atlantis"}]
)
def test_what_no_reader_can_be_is_refused(shared: httpx.Client, told: dict[str, str]) -> None:
    response = shared.post("/v1/recommendations", json=told)

    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


def test_liked_books_decide_and_do_not_come_back(shared: httpx.Client) -> None:
    liked = [{"book_id": tiny.SOUP_IDS[0], "rating": 9}, {"book_id": tiny.SOUP_IDS[1]}]

    found = _check(shared.post("/v1/recommendations", json={"liked": liked, "k": 4}))

    assert found.mode == "collaborative"
    assert set(_ids(found)) == set(tiny.SOUP_IDS[2:])


def test_a_book_that_no_version_knows_yet_is_recommended_from_by_its_subjects(shared: httpx.Client) -> None:
    body = {"liked": [{"book_id": UNTRAINED_BOOK}], "k": 3, "popularity_weight": 0}

    found = _check(shared.post("/v1/recommendations", json=body))

    assert (found.mode, found.degraded) == ("subjects", [])
    assert set(_ids(found)) <= set(tiny.SPACE_IDS)


def test_a_request_without_likes_or_subjects_is_served_what_is_popular(shared: httpx.Client) -> None:
    found = _check(shared.post("/v1/recommendations", json={}))

    assert found.mode == "popular"
    assert len(found.items) == 10


def test_an_unknown_subject_comes_back_with_the_nearest_known_ones(shared: httpx.Client) -> None:
    response = shared.post("/v1/recommendations", json={"subjects": ["Spase", "soup"]})

    assert response.status_code == 422
    assert response.json()["code"] == "unknown_subjects"
    assert response.json()["unknown"] == ["Spase"]
    assert response.json()["suggestions"] == {"Spase": ["Space"]}


def test_an_unknown_liked_book_is_named(shared: httpx.Client) -> None:
    response = shared.post("/v1/recommendations", json={"liked": [{"book_id": 11}, {"book_id": 5}]})

    assert response.status_code == 422
    assert (response.json()["code"], response.json()["unknown"]) == ("unknown_books", ["5"])


@pytest.mark.parametrize("mode", get_args(SimilarMode))
def test_similar_books_are_of_the_same_club(shared: httpx.Client, mode: str) -> None:
    found = _fetch(shared, f"/v1/books/{tiny.SOUP_IDS[0]}/similar", mode=mode, k=5)

    assert found.mode == mode
    assert set(_ids(found)) == set(tiny.SOUP_IDS[1:])


def test_similar_books_leave_out_what_a_reader_has_read(shared: httpx.Client) -> None:
    found = _fetch(shared, "/v1/books/44/similar", user_id=PICKY_READER, k=500)

    assert set(_ids(found)) == ALL - READ - {DISMISSED, 44}


def test_a_book_without_likeness_gets_popular_books_of_its_main_subject(shared: httpx.Client) -> None:
    found = _fetch(shared, f"/v1/books/{UNTRAINED_BOOK}/similar", k=4)

    assert (found.mode, found.degraded) == ("popular", [])
    assert _ids(found) == tiny.SPACE_IDS[:4]


def test_popular_books_of_a_subject_are_all_of_it(shared: httpx.Client) -> None:
    found = _fetch(shared, "/v1/books/popular", subject="sOUp", k=50)

    assert _ids(found) == tiny.SOUP_IDS


def test_popular_books_leave_out_what_a_reader_has_read(shared: httpx.Client) -> None:
    found = _fetch(shared, "/v1/books/popular", user_id=PICKY_READER, k=3)

    assert _ids(found) == [44, 55, 66]


def test_keyword_search_forgives_a_typo(shared: httpx.Client) -> None:
    found = _fetch(shared, "/v1/search", q="solarsi")

    assert found.mode == "keyword"
    assert found.items[0].title == "Solaris"


def test_a_search_without_a_match_is_an_empty_list(shared: httpx.Client) -> None:
    found = _fetch(shared, "/v1/search", q="xylophone")

    assert (found.mode, found.items, found.degraded) == ("keyword", [], [])


def test_search_by_meaning_finds_the_club(shared: httpx.Client) -> None:
    found = _fetch(shared, "/v1/search/semantic", q="a soup", k=6)

    assert found.mode == "semantic"
    assert set(_ids(found)) == set(tiny.SOUP_IDS)


@pytest.mark.parametrize(
    ("path", "params"),
    [
        (f"/v1/users/{SPACE_READER}/recommendations", {"k": 0}),
        (f"/v1/users/{SPACE_READER}/recommendations", {"k": 10_000}),
        (f"/v1/users/{SPACE_READER}/recommendations", {"popularity_weight": 1.1}),
        (f"/v1/users/{SPACE_READER}/recommendations", {"mode": "best"}),
        ("/v1/books/11/similar", {"weight": -0.1}),
        ("/v1/books/11/similar", {"mode": "other"}),
        ("/v1/books/popular", {"k": "many"}),
        ("/v1/search", {}),
        ("/v1/search", {"q": ""}),
        ("/v1/search", {"q": "x" * 501}),
        ("/v1/subjects", {"limit": 0}),
    ],
)
def test_a_parameter_outside_its_range_is_refused_by_name(
    shared: httpx.Client, path: str, params: dict[str, object]
) -> None:
    response = shared.get(path, params=params)  # type: ignore[arg-type]

    assert response.status_code == 422
    assert response.json()["code"] == "invalid_request"
    assert f"query.{next(iter(params), 'q')}" in response.json()["detail"]


def test_the_second_response_to_a_request_is_the_same_bytes(shared: httpx.Client) -> None:
    path = f"/v1/users/{SPACE_READER}/recommendations?k=7"

    assert shared.get(path).content == shared.get(path).content


@pytest.mark.parametrize(
    "text",
    [
        "9780441478125",
        "978-0-441-47812-5",
        "0441478123",
        "0 441 47812 3",
        "ISBN 0-441-47812-3",
        "isbn: 0441478123",
    ],
)
def test_an_isbn_in_the_search_box_finds_its_book(shared: httpx.Client, text: str) -> None:
    found = _fetch(shared, "/v1/search", q=text)

    assert (found.mode, found.degraded, _ids(found)) == ("keyword", [], [11])


@pytest.mark.parametrize("text", ["9780441478126", "9780000000002", "0441478123 soup"])
def test_what_is_no_isbn_of_a_book_is_searched_for_as_words(shared: httpx.Client, text: str) -> None:
    found = _fetch(shared, "/v1/search", q=text)

    assert found.degraded == []
    assert 11 not in _ids(found)
