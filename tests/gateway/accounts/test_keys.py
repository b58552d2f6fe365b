"""Keys of services as a gateway knows them: what a flood of made-up ones costs, and when each was used."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from catalog import keys
from catalog.database import Database, open_database
from catalog.tables import ApiKey
from gateway.accounts import keys as stored_keys
from gateway.accounts.errors import Unauthenticated
from gateway.accounts.keys import PAUSE_S, StoredKeys
from gateway.catalog import Catalog
from gateway.deadline import Deadline
from gateway.errors import CatalogUnavailable
from tests.gateway.running import KEY, open_catalog

PATIENCE_S = 30.0


@pytest.fixture
def catalog_db(home: Path) -> Iterator[Database]:
    with closing(open_database(f"sqlite:///{home / 'catalog.db'}")) as db:
        yield db


@pytest.fixture
def catalog(catalog_db: Database) -> Catalog:
    return open_catalog(catalog_db)


@pytest.fixture
def service_keys(catalog: Catalog) -> StoredKeys:
    return StoredKeys(catalog)


async def is_good(service_keys: StoredKeys, key: str) -> bool:
    try:
        await service_keys.find(key, Deadline.after(PATIENCE_S))
    except Unauthenticated:
        return False
    return True


async def test_whoever_makes_keys_up_costs_few_reads_and_locks_nobody_out(
    service_keys: StoredKeys, catalog_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    n_reads = 0

    def count(*arguments: object) -> object:
        nonlocal n_reads
        n_reads += 1
        return read(*arguments)  # type: ignore[arg-type]

    read = keys.read_good_keys
    monkeypatch.setattr(keys, "read_good_keys", count)
    started_s = time.monotonic()

    for turn in range(20):
        guesses = [is_good(service_keys, f"bmk_{turn}-{n}") for n in range(100)]
        assert not any(await asyncio.gather(*guesses))
        assert await is_good(service_keys, KEY)

    assert n_reads <= 2 + (time.monotonic() - started_s) / PAUSE_S
    with catalog_db.session(write=True) as session:
        new = keys.create_key(session, "shop", ["readers"])
    assert await is_good(service_keys, new)


async def test_a_revoked_key_is_soon_good_no_more(
    service_keys: StoredKeys, catalog_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await is_good(service_keys, KEY)
    with catalog_db.session(write=True) as session:
        keys.revoke_key(session, "tests")

    monkeypatch.setattr(stored_keys, "FRESH_S", 3600)
    assert await is_good(service_keys, KEY)
    monkeypatch.setattr(stored_keys, "FRESH_S", 0)
    assert not await is_good(service_keys, KEY)


async def test_while_the_catalog_is_away_a_key_stays_good_for_a_while(
    service_keys: StoredKeys, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await is_good(service_keys, KEY)
    (home / "catalog.db").rename(home / "elsewhere")
    monkeypatch.setattr(stored_keys, "FRESH_S", 0)

    assert await is_good(service_keys, KEY)
    with pytest.raises(CatalogUnavailable):
        await is_good(service_keys, "bmk_never_seen")
    monkeypatch.setattr(stored_keys, "BELIEVED_S", 0)
    with pytest.raises(CatalogUnavailable):
        await is_good(service_keys, KEY)


def read_used_at(db: Database) -> int | None:
    with db.session() as session:
        return session.scalar(select(ApiKey.used_at).where(ApiKey.name == "tests"))


async def test_when_a_key_was_used_is_noted_afterwards(
    service_keys: StoredKeys, catalog_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = int(time.time())
    await is_good(service_keys, KEY)
    await is_good(service_keys, "bmk_made-up")
    assert read_used_at(catalog_db) is None

    await service_keys.note_used()

    noted = read_used_at(catalog_db)
    assert noted is not None
    assert noted >= before
    monkeypatch.setattr(keys, "note_used", None)  # nothing was used since
    await service_keys.note_used()


async def test_what_could_not_be_noted_is_noted_later(
    service_keys: StoredKeys, catalog_db: Database, home: Path
) -> None:
    await is_good(service_keys, KEY)
    kept = home / "elsewhere"
    (home / "catalog.db").rename(kept)
    await service_keys.note_used()

    kept.rename(home / "catalog.db")
    await service_keys.note_used()

    assert read_used_at(catalog_db) is not None
