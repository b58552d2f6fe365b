"""What readers do with the books that they are shown: told in batches, dismissed, put on the shelf."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from catalog.database import Database
from catalog.tables import Event
from catalog.users import read_revision
from gateway.schemas import MAX_EVENTS
from tests.gateway.accounts.people import Person, code_of, sign_up
from tests.gateway.running import KEY
from tests.servers import tiny

BOOK, OTHER_BOOK, UNKNOWN_BOOK = 11, 22, 987_654
SPACE_BOOKS = {int(book_id) for book_id in tiny.SPACE_IDS}
SERVICE = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture
def ada(client: httpx.Client) -> Person:
    return sign_up(client)


def event_of(kind: str, book_id: int = BOOK, **changes: Any) -> dict[str, Any]:
    return {"kind": kind, "book_id": book_id, "at": 1_795_270_000, "list_id": "a", **changes}


def tell(person: Person, *events: dict[str, Any]) -> httpx.Response:
    return person.ask("POST", "/v1/events", {"events": list(events)})


def ids_of(listed: Any) -> list[int]:
    return [item["book_id"] for item in listed["items"]]


def recommended(person: Person) -> list[int]:
    return ids_of(person.get("/v1/me/recommendations?k=12"))


def test_a_batch_is_stored_once(ada: Person, db: Database) -> None:
    batch = [
        event_of("impression", surface="home", position=1),
        event_of("click"),
        event_of("view", UNKNOWN_BOOK),
    ]

    answers = [tell(ada, *batch) for _ in "12"]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert [answer.json() for answer in answers] == [
        {"n_new": 2, "n_known": 0, "unknown": [UNKNOWN_BOOK]},
        {"n_new": 0, "n_known": 2, "unknown": [UNKNOWN_BOOK]},
    ]
    with db.session() as session:
        stored = select(Event.kind, Event.surface, Event.position).filter_by(user_id=ada.user_id)
        stored = stored.order_by(Event.event_id)
        assert session.execute(stored).all() == [("impression", "home", 1), ("click", None, None)]


def test_the_next_list_follows_what_was_done_and_is_kept_for_what_was_shown(
    ada: Person, db: Database
) -> None:
    def revision() -> str | None:
        with db.session() as session:
            return read_revision(session, ada.user_id)

    before, popular = revision(), ada.get("/v1/me/recommendations")
    assert popular["mode"] == "popular"

    assert tell(ada, *(event_of("impression", book_id) for book_id in SPACE_BOOKS)).json()["n_new"] == 6
    assert (revision(), ada.get("/v1/me/recommendations")) == (before, popular)

    assert tell(ada, event_of("like", max(SPACE_BOOKS))).is_success
    assert set(recommended(ada)[:4]) <= SPACE_BOOKS
    assert ada.get("/v1/me/recommendations")["mode"] == "collaborative"


@pytest.mark.parametrize(
    "event",
    [
        event_of("impression", list_id=None),
        event_of("rate"),
        event_of("view", at=1_795_270_000_000),
        event_of("view", at=-1),
        event_of("view", position=0),
        event_of("view", list_id="x" * 65),
        event_of("view", list_id=""),
        event_of("view", surface="nul\0"),
        event_of("view", surface="'; DROP TABLE events; -- "),
        event_of("view", book_id="11"),
        event_of("view", rating=8),
        {"kind": "view"},
    ],
)
def test_what_is_no_event_is_refused_with_the_whole_batch(ada: Person, event: dict[str, Any]) -> None:
    assert code_of(tell(ada, event_of("view"), event)) == (422, "invalid_request")
    assert tell(ada, event_of("view")).json()["n_new"] == 1


@pytest.mark.parametrize("n", [0, MAX_EVENTS + 1])
def test_a_batch_has_bounds(ada: Person, n: int) -> None:
    assert code_of(tell(ada, *[event_of("view")] * n)) == (422, "invalid_request")
    assert tell(ada, *(event_of("view", at=each) for each in range(MAX_EVENTS))).json()["n_new"] == MAX_EVENTS


def test_events_are_of_whoever_s_token_it_is(client: httpx.Client, ada: Person) -> None:
    bob, body = sign_up(client), {"events": [event_of("view")]}

    assert code_of(client.post("/v1/events", json=body)) == (401, "unauthenticated")
    assert code_of(ada.ask("POST", "/v1/events", {**body, "user_id": bob.user_id})) == (404, "user_not_found")
    assert ada.ask("POST", "/v1/events", {**body, "user_id": ada.user_id}).json()["n_new"] == 1


def test_a_service_tells_whose_they_are(client: httpx.Client, ada: Person) -> None:
    body: dict[str, Any] = {"events": [event_of("like", max(SPACE_BOOKS))]}

    unnamed = client.post("/v1/events", json=body, headers=SERVICE)
    nobody = client.post("/v1/events", json={**body, "user_id": UNKNOWN_BOOK}, headers=SERVICE)
    told = client.post("/v1/events", json={**body, "user_id": ada.user_id}, headers=SERVICE)

    assert (code_of(unnamed), code_of(nobody)) == ((422, "invalid_request"), (404, "user_not_found"))
    assert told.json()["n_new"] == 1
    assert ada.get("/v1/me/recommendations")["mode"] == "collaborative"


def test_a_dismissed_book_leaves_every_list_at_once_and_comes_back(client: httpx.Client, ada: Person) -> None:
    def lists() -> list[list[int]]:
        paths = [
            "/v1/me/recommendations?k=12",
            *(
                f"/v1/books/{path}user_id={ada.user_id}&k=12"
                for path in ("popular?", f"{OTHER_BOOK}/similar?")
            ),
        ]
        return [ids_of(ada.get(path)) for path in paths]

    before = lists()
    assert all(BOOK in each for each in before)

    assert ada.ask("PUT", f"/v1/me/dismissals/{BOOK}").status_code == 204
    assert not any(BOOK in each for each in lists())
    assert ids_of(ada.get("/v1/me/dismissals")) == [BOOK]

    assert ada.ask("DELETE", f"/v1/me/dismissals/{BOOK}").status_code == 204
    assert lists() == before
    assert ada.get("/v1/me/dismissals")["items"] == []


def test_a_service_keeps_the_shelf_of_a_reader(client: httpx.Client, ada: Person) -> None:
    path = f"/v1/users/{ada.user_id}/shelf"

    assert client.put(f"{path}/{BOOK}", headers=SERVICE).status_code == 204
    assert client.get(path, headers=SERVICE).json() == ada.get("/v1/me/shelf")
    assert ada.get("/v1/me/shelf")["total"] == 1
    assert client.delete(f"{path}/{BOOK}", headers=SERVICE).status_code == 204
    again = client.delete(f"{path}/{BOOK}", headers=SERVICE)
    assert code_of(again) == (404, "not_on_shelf")


def test_a_service_dismisses_for_a_reader(client: httpx.Client, ada: Person) -> None:
    path = f"/v1/users/{ada.user_id}/dismissals"

    assert client.put(f"{path}/{BOOK}", headers=SERVICE).status_code == 204
    assert client.get(path, headers=SERVICE).json() == ada.get("/v1/me/dismissals")
    assert BOOK not in recommended(ada)
    assert client.delete(f"{path}/{BOOK}", headers=SERVICE).status_code == 204
    assert BOOK in recommended(ada)


@pytest.mark.parametrize(("mark", "code"), [("dismissals", "dismissal_not_found"), ("shelf", "not_on_shelf")])
def test_marks_can_be_sent_again_and_taken_back_once(ada: Person, mark: str, code: str) -> None:
    path = f"/v1/me/{mark}/{BOOK}"

    assert [ada.ask("PUT", path).status_code for _ in "12"] == [204, 204]
    assert ada.get(f"/v1/me/{mark}")["total"] == 1
    assert ada.ask("DELETE", path).status_code == 204
    assert code_of(ada.ask("DELETE", path)) == (404, code)
    assert code_of(ada.ask("PUT", f"/v1/me/{mark}/{UNKNOWN_BOOK}")) == (404, "book_not_found")


@pytest.mark.parametrize("mark", ["dismissals", "shelf"])
def test_marks_are_listed_in_pages(ada: Person, mark: str) -> None:
    books = sorted(SPACE_BOOKS)[:3]
    kind = {"dismissals": "dismiss", "shelf": "to_read"}[mark]
    tell(ada, *(event_of(kind, book_id, at=at) for at, book_id in enumerate(books)))

    pages = [ada.get(f"/v1/me/{mark}?limit=2&offset={offset}") for offset in (0, 2, 4)]

    assert [page["total"] for page in pages] == [3, 3, 3]
    assert [ids_of(page) for page in pages] == [books[:0:-1], books[:1], []]
    assert pages[0]["items"][0].keys() >= {"title", "authors", "at"}
    assert code_of(ada.ask("GET", f"/v1/me/{mark}?limit=1001")) == (422, "invalid_request")


def test_a_book_on_the_shelf_may_be_recommended_and_a_rating_takes_it_off(ada: Person) -> None:
    ada.ask("PUT", f"/v1/me/shelf/{BOOK}")
    assert BOOK in recommended(ada)

    ada.ask("PUT", f"/v1/me/ratings/{BOOK}", {"rating": 8})

    assert ada.get("/v1/me/shelf")["items"] == []
    assert code_of(ada.ask("PUT", f"/v1/me/shelf/{BOOK}")) == (409, "book_rated")


def test_clients_that_do_the_same_at_once_double_nothing(ada: Person) -> None:
    def ask(number: int) -> httpx.Response:
        if number % 3 == 0:
            return tell(ada, event_of("impression"), event_of("dismiss"))
        return ada.ask("PUT", f"/v1/me/{('dismissals', 'shelf')[number % 3 - 1]}/{BOOK}")

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(ask, range(24)))

    assert {answer.status_code for answer in done} == {200, 204}
    # Who dismisses the book beside a batch leaves it one event fewer.
    assert sum(answer.json()["n_new"] for answer in done if answer.status_code == 200) in (1, 2)
    assert [ada.get(f"/v1/me/{mark}")["total"] for mark in ("dismissals", "shelf")] == [1, 1]
