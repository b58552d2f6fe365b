"""A new book reaches readers by a refresh under requests: none fails, none mixes versions, none goes back."""

from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import func, or_, select

from catalog.database import Database, open_database
from catalog.editing.books import add_book, withdraw_book
from catalog.tables import Author, BookAuthor, Rating
from tests.homes import Home
from tests.loopback.checks import check_authors, check_list
from tests.loopback.conftest import QUICK_AND_UNCACHED
from tests.loopback.load import ListQuery, has_more, steady_load
from tests.meshes import running_mesh, wait_until

pytestmark = pytest.mark.loopback

TITLE = "The Quokka Concordance"
PER_SECOND = 20.0
QUERIES = [
    query
    for number in range(1, 9)
    for query in (
        ListQuery(f"/v1/users/{number}/recommendations"),
        ListQuery("/v1/recommendations", json={"subjects": ["War"], "k": 10}),
        ListQuery(f"/v1/books/{number}/similar"),
        ListQuery("/v1/search/semantic", {"q": f"a war of {number} kings"}),
        ListQuery("/v1/search", {"q": "war"}, k=number),
    )
]


def find_lover(db: Database) -> tuple[int, str]:
    """A reader who loves an author, and the author's name."""
    with db.session() as session:
        found = session.execute(
            select(Rating.user_id, Author.name)
            .join(BookAuthor, BookAuthor.book_id == Rating.book_id)
            .join(Author)
            .where(or_(Rating.rating >= 8, Rating.rating.is_(None)))
            .group_by(Rating.user_id, Author.name)
            .order_by(func.count().desc(), Rating.user_id)
        ).first()
    assert found is not None
    return found.user_id, found.name


def test_a_new_book_is_found_similar_and_recommended_while_readers_go_on_reading(copied_home: Home) -> None:
    url, trained = f"sqlite:///{copied_home.path / 'catalog.db'}", str(copied_home.store.current())
    with running_mesh(copied_home, **QUICK_AND_UNCACHED) as mesh, closing(open_database(url)) as db:
        user_id, author = find_lover(db)
        with steady_load(mesh.client, QUERIES, per_second=PER_SECOND) as load:
            wait_until(has_more(load, 20))
            with db.session(write=True) as session:
                book_id = add_book(session, {"title": TITLE, "authors": [author], "subjects": ["War"]})
            wait_until(lambda: mesh.get("/v1/version")["version"] != trained)
            wait_until(has_more(load, 20))
        refreshed = str(copied_home.store.current())
        found = mesh.get("/v1/search", q="quokka concordance")
        meant = mesh.get("/v1/search/semantic", q=f"{author} war")
        similar = mesh.get(f"/v1/books/{book_id}/similar")
        listed = mesh.get(f"/v1/users/{user_id}/recommendations", k=10)
        with db.session(write=True) as session:
            withdraw_book(session, book_id)
        wait_until(lambda: mesh.get("/v1/version")["version"] != refreshed)
        without = mesh.get("/v1/search", q="quokka concordance")

    assert [(outcome.query, outcome.status, outcome.body) for outcome in load.failures] == []
    assert all(outcome.header_version == outcome.body["version"] for outcome in load.outcomes)
    assert set(load.versions) == {trained, refreshed}
    assert found["items"][0]["book_id"] == book_id
    assert book_id in ids_of(meant)
    check_list(similar, k=10)
    assert book_id in ids_of(listed)
    check_authors(listed["items"])
    assert book_id not in ids_of(without)


def ids_of(body: dict[str, Any]) -> list[int]:
    return [item["book_id"] for item in body["items"]]
