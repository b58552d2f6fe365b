"""The SQLite file is deleted or replaced while the gateway runs."""

import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from catalog.database import open_database
from catalog.errors import DatabaseFileReplaced
from catalog.schema import migrate
from catalog.tables import Event, EventKind
from contracts.shell import READY_PATH
from tests.gateway import running
from tests.gateway.running import SPACE_READER
from tests.servers.running import wait_until
from tests.upgrades.releases import unpack_catalog

RATING = f"/v1/users/{SPACE_READER}/ratings/33"
LIST = f"/v1/users/{SPACE_READER}/recommendations"


def put(client: httpx.Client, path: str = RATING) -> httpx.Response:
    return client.put(path, json={"rating": 7})


def names_of_subjects(client: httpx.Client) -> list[str]:
    return [subject["name"] for subject in client.get("/v1/subjects").json()["items"]]


def read_ratings(file: Path) -> list[int]:
    """What another program finds in the file."""
    with closing(sqlite3.connect(file)) as catalog:
        rows = catalog.execute("SELECT book_id FROM ratings WHERE user_id = ?", (SPACE_READER,))
        return sorted(book_id for (book_id,) in rows)


def check_unavailable(client: httpx.Client, reason: str) -> None:
    """Writes are refused, lists say what they lack, and the probes know."""
    for refused in (put(client), client.delete(RATING)):
        assert (refused.status_code, refused.json()["code"]) == (503, "catalog_unavailable")
        assert reason in refused.json()["detail"]
    for path in (LIST, f"{LIST}/33/why"):
        assert client.get(path).json()["degraded"] == ["catalog"]
    health = client.get("/v1/health").json()
    assert (health["status"], health["catalog"]) == ("degraded", False)
    assert client.get(READY_PATH).json()["catalog"] is False


def test_nothing_is_written_to_a_deleted_file_and_all_goes_on_when_it_is_back(
    urls: dict[str, str], home: Path
) -> None:
    file, aside = home / "catalog.db", home / "aside.db"
    with running.gateway(running.settings_for(home, urls)) as client:
        assert put(client).is_success
        file.rename(aside)

        check_unavailable(client, "its file was deleted or replaced")
        assert not file.exists()
        aside.rename(file)

        assert put(client, RATING.replace("33", "44")).is_success
        assert read_ratings(file) == [11, 22, 33, 44]
        assert client.get(READY_PATH).json()["catalog"] is True


def test_a_file_that_replaces_another_is_used_as_it_is(urls: dict[str, str], home: Path) -> None:
    file, successor = home / "catalog.db", home / "successor.db"
    with running.gateway(running.settings_for(home, urls)) as client:
        shutil.copy(file, successor)
        assert put(client).is_success
        assert 33 not in [item["book_id"] for item in client.get(LIST).json()["items"]]

        successor.replace(file)

        assert 33 in [item["book_id"] for item in client.get(LIST).json()["items"]]
        assert put(client, RATING.replace("33", "44")).is_success
        assert read_ratings(file) == [11, 22, 44]
    with closing(sqlite3.connect(file)) as catalog:
        assert catalog.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_file_that_another_program_makes_anew_is_waited_for_and_used(
    urls: dict[str, str], home: Path, tmp_path: Path
) -> None:
    (tmp_path / "new").mkdir()
    new = running.build_home(tmp_path / "new") / "catalog.db"
    with closing(sqlite3.connect(new)) as catalog:
        catalog.execute("UPDATE subjects SET name = 'Stars' WHERE name = 'Space'")
        catalog.commit()
    with running.gateway(running.settings_for(home, urls)) as client:
        assert put(client).is_success
        assert names_of_subjects(client) == ["Space", "Soup"]
        for file in home.glob("catalog.db*"):
            file.unlink()
        check_unavailable(client, "its file was deleted or replaced")

        new.rename(home / "catalog.db")

        assert put(client, RATING.replace("33", "44")).is_success
        assert read_ratings(home / "catalog.db") == [11, 22, 44]
        assert names_of_subjects(client) == ["Stars", "Soup"]


def test_a_catalog_of_an_earlier_release_is_not_used_before_it_is_migrated(
    urls: dict[str, str], home: Path, tmp_path: Path
) -> None:
    (tmp_path / "old").mkdir()
    old = unpack_catalog("0.2.0", tmp_path / "old")
    with running.gateway(running.settings_for(home, urls)) as client:
        assert client.get(LIST).is_success
        old.replace(home / "catalog.db")
        check_unavailable(client, "its tables are not those of this release")

        with closing(open_database(f"sqlite:///{home / 'catalog.db'}")) as db:
            migrate(db)
            with db.session(write=True) as session:
                running.add_key(session)

        wait_until(lambda: client.get(READY_PATH).json()["catalog"])
        assert client.get(LIST).is_success


def test_a_write_whose_file_disappears_before_its_end_is_not_acknowledged(home: Path) -> None:
    db = open_database(f"sqlite:///{home / 'catalog.db'}")
    begun, deleted = threading.Event(), threading.Event()

    def delete() -> None:
        begun.wait()
        (home / "catalog.db").unlink()
        deleted.set()

    deleting = threading.Thread(target=delete)
    deleting.start()
    with pytest.raises(DatabaseFileReplaced, match="do it again"), db.session(write=True) as session:
        session.add(Event(user_id=SPACE_READER, book_id=11, kind=EventKind.DISMISS, at=0))
        begun.set()
        deleted.wait()
    deleting.join()
    db.close()
