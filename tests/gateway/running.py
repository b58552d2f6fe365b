"""A real gateway in a thread of the test process, and a catalog of the tiny version's twelve books."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from sqlalchemy import insert
from sqlalchemy.orm import Session

from catalog.database import Database
from catalog.tables import (
    ApiKey,
    Author,
    Book,
    BookAuthor,
    BookSubject,
    Edition,
    Event,
    EventKind,
    Rating,
    Subject,
    User,
    UserSubject,
)
from catalog.tokens import hash_token
from contracts.shell import SERVER_NAMES
from gateway.app import create_app
from gateway.catalog import Catalog
from gateway.mesh.breaker import CircuitBreaker
from gateway.metrics import GatewayMetrics
from gateway.serve import build_uvicorn_config
from gateway.settings import GatewaySettings, LimitOptions
from tests.empty_catalogs import open_empty_catalog
from tests.servers import tiny
from tests.servers.running import PATIENCE_S, wait_until

SPACE_READER, SOUP_FAN, STRANGER, PICKY_READER = 1, 2, 3, 4
SPACE_HISTORY = [(11, 9.0), (22, None)]
DISMISSED = 33
UNTRAINED_BOOK = 999
"""In the catalog, but not in the tiny version."""
PLENTY = dict.fromkeys(LimitOptions.model_fields, 1_000_000)
"""Limits that no test meets, though all of them come from one address."""
NOWHERE = "http://127.0.0.1:9"
"""Where nobody listens: port 9 is the discard service's, which no machine of today runs."""


KEY = "bmk_of_the_tests"
"""What clients of gateways send if a test does not say otherwise: a key that acts for every reader."""


def fill_catalog(db: Database) -> None:
    """Twelve books of two subjects, one that no version knows yet, and four readers."""
    books = [*tiny.BOOK_IDS.tolist(), UNTRAINED_BOOK]
    with db.session(write=True) as session:
        session.execute(
            insert(Subject),
            [
                {"subject_id": 1, "name": "Space", "n_books": 7},
                {"subject_id": 2, "name": "Soup", "n_books": 6},
            ],
        )
        session.execute(
            insert(Author),
            [{"author_id": n, "name": f"Author {n}", "name_key": f"author {n}"} for n in range(1, 8)],
        )
        for row, book_id in enumerate(books):
            subject_id = 2 if 6 <= row < 12 else 1
            title = tiny.TITLES[row] if row < 12 else "A New Space"
            session.execute(
                insert(Book).values(
                    book_id=book_id,
                    source="tests",
                    external_id=str(book_id),
                    title=title,
                    year=1950 + row,
                    main_subject_id=subject_id,
                )
            )
            session.execute(insert(BookAuthor).values(book_id=book_id, author_id=row // 2 + 1, position=0))
            session.execute(insert(BookSubject).values(book_id=book_id, subject_id=subject_id, position=0))
        session.execute(insert(Edition).values(isbn13="9780441478125", book_id=11, year=1969))
        session.execute(
            insert(User), [{"user_id": n, "source": "tests", "external_id": str(n)} for n in range(1, 5)]
        )
        session.execute(insert(UserSubject).values(user_id=SOUP_FAN, subject_id=2, position=0))
        add_key(session)
        _rate(session, SPACE_READER, SPACE_HISTORY)
        _rate(session, PICKY_READER, SPACE_HISTORY)
        session.execute(
            insert(Event).values(user_id=PICKY_READER, book_id=DISMISSED, kind=EventKind.DISMISS, at=0)
        )


def add_key(session: Session) -> None:
    """Let a catalog know the key of the tests."""
    values = {"name": "tests", "key_hash": hash_token(KEY), "scopes": "readers", "created_at": 0}
    session.execute(insert(ApiKey).values(values))


def _rate(session: Any, user_id: int, history: list[tuple[int, float | None]]) -> None:
    for book_id, rating in history:
        session.execute(insert(Rating).values(user_id=user_id, book_id=book_id, rating=rating))


def build_home(folder: Path) -> Path:
    """A home folder with a filled catalog."""
    with closing(open_empty_catalog(folder / "catalog.db")) as db:
        fill_catalog(db)
    return folder


def open_catalog(
    db: Database, *, write_timeout_s: float = PATIENCE_S, cached_users: int = 9, failures: int = 1000
) -> Catalog:
    """The catalog of a gateway, by default one that never gives the database up."""
    metrics, breaker = GatewayMetrics(CollectorRegistry()), CircuitBreaker(failures=failures, open_s=1.0)
    return Catalog(db, metrics, breaker=breaker, write_timeout_s=write_timeout_s, cached_users=cached_users)


def settings_for(
    home: Path, urls: dict[str, str], *, poll_interval_s: float = 0.05, **changes: Any
) -> GatewaySettings:
    """Settings for a gateway over some servers; those not named are where nobody listens."""
    mesh = {"urls": dict.fromkeys(SERVER_NAMES, NOWHERE) | urls, "poll_interval_s": poll_interval_s}
    options = {"deadline_s": 5.0, "port": 0, "mesh": mesh, "limits": PLENTY, **changes}
    return GatewaySettings(home=home, gateway=options)


@contextmanager
def gateway(
    settings: GatewaySettings, change: Callable[[FastAPI], None] = lambda app: None
) -> Iterator[httpx.Client]:
    """A client of a running gateway, which drains and stops at the end; `change` may add routes to it."""
    app = create_app(settings)
    change(app)
    runner = uvicorn.Server(build_uvicorn_config(settings, app))
    thread = threading.Thread(target=runner.run, name="gateway")
    thread.start()
    try:
        wait_until(lambda: runner.started or not thread.is_alive())
        port = runner.servers[0].sockets[0].getsockname()[1]
        headers = {"Authorization": f"Bearer {KEY}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S, headers=headers) as client:
            yield client
    finally:
        runner.should_exit = True
        thread.join()
