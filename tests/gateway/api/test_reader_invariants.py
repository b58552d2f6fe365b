"""What holds of every list that a reader gets, by whichever path: from servers, fallbacks and caches."""

from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from catalog.database import Database, open_database
from catalog.tables import Event, EventKind, Rating, User
from tests.gateway import running
from tests.loopback.checks import check_authors
from tests.servers import tiny

BOOK_IDS = tiny.BOOK_IDS.tolist()
FULL = [
    *(
        ("/v1/users/{user}/recommendations", {"mode": mode})
        for mode in ("collaborative", "subjects", "popular")
    ),
    ("/v1/users/{user}/recommendations", {}),
    ("/v1/books/popular", {"user_id": "{user}"}),
]
"""Lists that are as long as was asked for, while there are books."""
SIMILAR = [
    ("/v1/books/11/similar", {"user_id": "{user}", "mode": mode}) for mode in ("als", "hybrid", "subject")
]
FOUND = [(path, {"user_id": "{user}", "q": "space soup"}) for path in ("/v1/search", "/v1/search/semantic")]
"""These show what they find, and fill nothing up."""
numbers = count(10_000)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return running.build_home(tmp_path_factory.mktemp("catalog"))


@pytest.fixture(scope="module")
def db(home: Path) -> Iterator[Database]:
    with closing(open_database(f"sqlite:///{home}/catalog.db")) as db:
        yield db


@pytest.fixture(scope="module")
def whole(home: Path, urls: dict[str, str]) -> Iterator[httpx.Client]:
    with running.gateway(running.settings_for(home, urls)) as client:
        yield client


@pytest.fixture(scope="module")
def without_als(home: Path, urls: dict[str, str]) -> Iterator[httpx.Client]:
    some = {name: url for name, url in urls.items() if name != "als"}
    with running.gateway(running.settings_for(home, some)) as client:
        yield client


@pytest.fixture(scope="module")
def alone(home: Path) -> Iterator[httpx.Client]:
    """Without any server."""
    with running.gateway(running.settings_for(home, {})) as client:
        yield client


@given(
    rated=st.dictionaries(st.sampled_from(BOOK_IDS), st.none() | st.floats(1, 10), max_size=8),
    dismissed=st.sets(st.sampled_from(BOOK_IDS), max_size=4),
    k=st.integers(1, 14),
)
@settings(max_examples=15, deadline=None)
def test_no_list_shows_what_its_reader_knows_or_less_than_there_is(
    db: Database,
    whole: httpx.Client,
    without_als: httpx.Client,
    alone: httpx.Client,
    rated: dict[int, float | None],
    dismissed: set[int],
    k: int,
) -> None:
    user, known = add_reader(db, rated, dismissed), {*rated, *dismissed}
    left = len(BOOK_IDS) - len(known)

    for client in (whole, whole, without_als, alone):  # the second time from the cache
        others = [] if client is alone else [*SIMILAR, *FOUND]
        for path, params in [*FULL, *others]:
            asked = {name: value.format(user=user) for name, value in params.items()}
            response = client.get(path.format(user=user), params={**asked, "k": k})
            assert response.status_code == 200, response.text
            items = response.json()["items"]
            ids = [item["book_id"] for item in items]
            assert not known & set(ids)
            assert len(set(ids)) == len(ids) <= k
            assert (path, params) not in FULL or len(ids) >= min(k, left)
            assert [item["score"] for item in items] == sorted(
                (item["score"] for item in items), reverse=True
            )
            check_authors(items)


def add_reader(db: Database, rated: dict[int, float | None], dismissed: set[int]) -> int:
    """A new reader who knows these books."""
    user = next(numbers)
    with db.session(write=True) as session:
        session.execute(insert(User).values(user_id=user, source="tests", external_id=str(user)))
        for book_id, rating in rated.items():
            session.execute(insert(Rating).values(user_id=user, book_id=book_id, rating=rating))
        for book_id in dismissed:
            event = {"user_id": user, "book_id": book_id, "kind": EventKind.DISMISS, "at": 0}
            session.execute(insert(Event).values(event))
    return user
