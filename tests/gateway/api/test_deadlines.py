"""However slow the database and the servers are: an answer in time, and the blame where it belongs."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, event

from catalog.database import Database, open_database
from catalog.schema import migrate
from catalog.settings import CatalogOptions
from gateway import app
from gateway.settings import GatewaySettings
from tests.gateway import running
from tests.gateway.api.test_degradation import hanging
from tests.gateway.running import SOUP_FAN, SPACE_READER, STRANGER
from tests.servers.running import wait_until
from tests.services import new_mariadb_database

LIST = f"/v1/users/{SPACE_READER}/recommendations"
RATINGS = f"/v1/users/{STRANGER}/ratings"


@pytest.fixture(scope="module")
def database(mariadb_port: int) -> Iterator[str]:
    """URL of a MariaDB with the readers and books of these tests, of which one alone changes anything."""
    with new_mariadb_database(mariadb_port) as url:
        with closing(open_database(url)) as db:
            migrate(db)
            running.fill_catalog(db)
        yield url


@contextmanager
def holding(database: str, statement: str) -> Iterator[None]:
    """A lock that another client of the database holds until the block ends."""
    engine = create_engine(database)
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
        try:
            yield
        finally:
            connection.exec_driver_sql("UNLOCK TABLES")
            connection.rollback()
    engine.dispose()


@contextmanager
def holding_for(seconds: float, database: str, statement: str) -> Iterator[None]:
    """Such a lock, held so long while the block goes on."""
    held = threading.Event()

    def hold() -> None:
        with holding(database, statement):
            held.set()
            time.sleep(seconds)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    yield
    thread.join()


def settings_for(home: Path, database: str, urls: dict[str, str], **changes: Any) -> GatewaySettings:
    catalog = CatalogOptions.model_validate({"database_url": database})
    return running.settings_for(home, urls, **changes).model_copy(update={"catalog": catalog})


def without(urls: dict[str, str], *missing: str) -> dict[str, str]:
    return {name: url for name, url in urls.items() if name not in missing}


def test_the_look_up_of_the_reader_and_the_servers_share_one_deadline(
    urls: dict[str, str], tmp_path: Path, database: str
) -> None:
    with hanging() as url:
        hung = {**urls, "als": url, "embedder": url}
        settings = settings_for(tmp_path, database, hung, deadline_s=2.0)
        with running.gateway(settings) as client, holding_for(0.8, database, "LOCK TABLES users WRITE"):
            response = client.get(f"/v1/users/{SOUP_FAN}/recommendations")

    assert (response.status_code, response.json()["mode"]) == (200, "popular")
    assert response.json()["degraded"] == ["als", "embedder"]
    assert 0.8 < response.elapsed.total_seconds() < 2.5


def test_a_slow_fallback_is_blamed_and_not_what_it_left_no_time(
    urls: dict[str, str], tmp_path: Path, database: str
) -> None:
    with running.gateway(settings_for(tmp_path, database, without(urls, "als"), deadline_s=0.8)) as client:
        with holding(database, "LOCK TABLES book_subjects WRITE"):
            response = client.get(LIST)
        metrics = client.get("/metrics").text

    assert (response.status_code, response.json()["mode"]) == (200, "popular")
    assert response.json()["degraded"] == ["als", "catalog"]
    assert len(response.json()["items"]) == 10
    assert 'bookmesh_degraded_total{dependency="catalog"} 1.0' in metrics


def test_a_refused_rating_is_not_written_when_the_lock_is_gone(
    urls: dict[str, str], tmp_path: Path, database: str
) -> None:
    with running.gateway(settings_for(tmp_path, database, urls, write_timeout_s=0.5)) as client:
        with holding(database, f"SELECT * FROM users WHERE user_id = {STRANGER} FOR UPDATE"):
            refused = client.put(f"{RATINGS}/44", json={"rating": 5})
        time.sleep(0.5)  # the thread has the lock now

        assert (refused.status_code, refused.json()["code"]) == (503, "catalog_unavailable")
        assert client.get(RATINGS).json()["total"] == 0
        assert client.put(f"{RATINGS}/44", json={"rating": 5}).status_code == 201


def test_a_rating_that_is_being_committed_is_waited_for(
    urls: dict[str, str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_slow(url: str, **options: Any) -> Database:
        db = open_database(url, **options)
        event.listen(db.engine, "commit", lambda connection: time.sleep(0.8))
        return db

    monkeypatch.setattr(app, "open_database", open_slow)
    settings = running.settings_for(home, urls, write_timeout_s=0.5)
    with running.gateway(settings) as client:
        response = client.put(f"{RATINGS}/44", json={"rating": 5})

        assert (response.status_code, client.get(RATINGS).json()["total"]) == (201, 1)


def test_what_was_read_too_late_need_not_be_read_again(
    urls: dict[str, str], tmp_path: Path, database: str
) -> None:
    with running.gateway(settings_for(tmp_path, database, urls, deadline_s=0.8)) as client:
        with holding(database, "LOCK TABLES users WRITE"):
            assert client.get(LIST).json()["degraded"] == ["catalog"]
        wait_until(lambda: client.get("/v1/subjects").status_code == 200)
        time.sleep(0.3)  # the thread reads on

        with holding(database, "LOCK TABLES ratings WRITE"):
            response = client.get(LIST)

    assert (response.status_code, response.json().get("mode")) == (200, "collaborative")


def test_what_was_well_in_a_degraded_list_is_kept(urls: dict[str, str], home: Path) -> None:
    with running.gateway(running.settings_for(home, without(urls, "als", "embedder"))) as client:
        client.get(LIST)
        before = calls_of_metadata(client)

        assert client.get(LIST).json()["degraded"] == ["als", "embedder"]

        assert calls_of_metadata(client) - before == 1  # what is popular, but no card


def calls_of_metadata(client: httpx.Client) -> int:
    name = 'bookmesh_upstream_seconds_count{outcome="ok",server="metadata"}'
    [line] = [line for line in client.get("/metrics").text.splitlines() if line.startswith(name)]
    return int(float(line.split()[-1]))
