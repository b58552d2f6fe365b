"""Readers who did other things than rate are served from these, too."""

from pathlib import Path

import pytest
from sqlalchemy import insert

from catalog.database import open_database
from catalog.tables import Event
from gateway.schemas import BookList
from tests.gateway import running
from tests.gateway.running import STRANGER
from tests.servers import tiny

SPACE_BOOK, SOUP_BOOK = int(tiny.SPACE_IDS[-1]), int(tiny.SOUP_IDS[-1])


def fetch_list(home: Path, urls: dict[str, str], events: list[tuple[int, str]], k: int = 12) -> BookList:
    """What a reader without ratings is shown after these events."""
    db = open_database(f"sqlite:///{home / 'catalog.db'}")
    with db.session(write=True) as session:
        rows = [{"user_id": STRANGER, "book_id": book_id, "kind": kind} for book_id, kind in events]
        session.execute(insert(Event), rows)
    db.close()
    with running.gateway(running.settings_for(home, urls)) as client:
        found = client.get(f"/v1/users/{STRANGER}/recommendations", params={"k": k})
        return BookList.model_validate_json(found.content)


@pytest.mark.parametrize("kind", ["view", "click", "like", "to_read"])
@pytest.mark.parametrize(("book_id", "alike"), [(SPACE_BOOK, tiny.SPACE_IDS), (SOUP_BOOK, tiny.SOUP_IDS)])
def test_a_reader_who_rated_nothing_is_served_by_what_they_did(
    home: Path, urls: dict[str, str], kind: str, book_id: int, alike: list[int]
) -> None:
    found = fetch_list(home, urls, [(book_id, kind)])

    ids = [item.book_id for item in found.items]
    assert found.mode == "collaborative"
    assert set(ids[:4]) <= set(alike)
    assert book_id in ids


@pytest.mark.parametrize("events", [["impression"], ["dismiss"], ["like", "dismiss"]])
def test_what_was_dismissed_or_only_shown_speaks_for_nothing(
    home: Path, urls: dict[str, str], events: list[str]
) -> None:
    found = fetch_list(home, urls, [(SOUP_BOOK, kind) for kind in events])

    assert found.mode == "popular"
    assert (SOUP_BOOK in [item.book_id for item in found.items]) == (events == ["impression"])
