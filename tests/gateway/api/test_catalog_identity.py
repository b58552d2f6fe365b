"""Lists that were made of one catalog are never served of another, nor of what a catalog once was."""

import shutil
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import update

from catalog.database import open_database
from catalog.tables import Book
from tests.gateway import running
from tests.gateway.running import SPACE_READER, UNTRAINED_BOOK

LIST = f"/v1/users/{SPACE_READER}/recommendations"
SIMILAR = f"/v1/books/{UNTRAINED_BOOK}/similar"
SOUP = 2


def book_ids(client: httpx.Client, path: str = LIST) -> list[int]:
    response = client.get(path)
    assert response.status_code == 200, response.text
    return [item["book_id"] for item in response.json()["items"]]


def rate(client: httpx.Client, book_id: int) -> None:
    assert client.put(f"/v1/users/{SPACE_READER}/ratings/{book_id}", json={"rating": 7}).is_success


def copy_home(home: Path, name: str) -> Path:
    """Another home with the same catalog, as a backup of it is."""
    copied = home.parent / name
    copied.mkdir()
    shutil.copy(home / "catalog.db", copied)
    return copied


def test_lists_cached_after_a_backup_are_not_served_when_it_is_restored(
    urls: dict[str, str], home: Path, redis_url: str
) -> None:
    backup = copy_home(home, "backup")
    with running.gateway(running.settings_for(home, urls, cache={"redis_url": redis_url})) as client:
        first, second, *_ = book_ids(client)
        rate(client, first)
        assert first not in book_ids(client)

    with running.gateway(running.settings_for(backup, urls, cache={"redis_url": redis_url})) as client:
        rate(client, second)
        found = book_ids(client)

    assert (first in found, second in found) == (True, False)


def test_catalogs_that_share_a_redis_never_see_each_others_lists(
    urls: dict[str, str], home: Path, tmp_path: Path, redis_url: str
) -> None:
    (tmp_path / "other").mkdir()
    other = running.build_home(tmp_path / "other")
    db = open_database(f"sqlite:///{other / 'catalog.db'}")
    with db.session(write=True) as session:
        session.execute(update(Book).filter_by(book_id=UNTRAINED_BOOK).values(main_subject_id=SOUP))
    db.close()
    shared: dict[str, Any] = {"cache": {"redis_url": redis_url}}

    with (
        running.gateway(running.settings_for(home, urls, **shared)) as here,
        running.gateway(running.settings_for(other, urls, **shared)) as there,
    ):
        assert book_ids(here, SIMILAR) != book_ids(there, SIMILAR)
        first, second, *_ = book_ids(here)
        rate(here, first)
        rate(there, second)
        found_here, found_there = book_ids(here), book_ids(there)

    assert (first in found_here, second in found_here) == (False, True)
    assert (first in found_there, second in found_there) == (True, False)
