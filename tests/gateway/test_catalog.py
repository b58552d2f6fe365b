"""SQL while it does not answer: it is left alone, and nobody stands in line for it."""

import asyncio
import random
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from catalog.database import Database, open_database
from gateway.catalog import MOST_READS, Catalog
from gateway.deadline import Deadline
from gateway.errors import CatalogUnavailable
from tests.gateway.running import open_catalog
from tests.gateway.stubs import misbehaving

N_FAILURES = 3


@pytest.fixture
def db(home: Path) -> Iterator[Database]:
    with closing(open_database(f"sqlite:///{home / 'catalog.db'}")) as db:
        yield db


@pytest.fixture
def catalog(db: Database) -> Catalog:
    return open_catalog(db, failures=N_FAILURES)


class Stuck:
    """A query that does not end before it is told to."""

    def __init__(self) -> None:
        self.n_begun = 0
        self.may_end = threading.Event()

    def __call__(self, _: Session) -> int:
        self.n_begun += 1
        self.may_end.wait()
        return 1


@pytest.fixture
def stuck() -> Iterator[Stuck]:
    stuck = Stuck()
    yield stuck
    stuck.may_end.set()


async def read(catalog: Catalog, query: Stuck, seconds: float = 0.1) -> int:
    return await catalog.read(query, Deadline.after(seconds))


async def test_a_catalog_that_keeps_failing_is_left_alone_and_tried_again(
    catalog: Catalog, stuck: Stuck
) -> None:
    for _ in range(N_FAILURES):
        with pytest.raises(CatalogUnavailable, match="no answer within"):
            await read(catalog, stuck)
    for _ in range(20):
        with pytest.raises(CatalogUnavailable, match="left alone"):
            await read(catalog, stuck, seconds=30)
    assert stuck.n_begun == N_FAILURES

    stuck.may_end.set()
    async with asyncio.timeout(30):
        while True:
            try:
                assert await read(catalog, stuck, seconds=30) == 1
            except CatalogUnavailable:
                await asyncio.sleep(0.05)
            else:
                break


async def test_a_write_that_succeeds_ends_the_wait(catalog: Catalog, stuck: Stuck) -> None:
    for _ in range(N_FAILURES):
        with pytest.raises(CatalogUnavailable):
            await read(catalog, stuck)
    stuck.may_end.set()

    assert await catalog.write(lambda _: 7) == 7

    assert await read(catalog, stuck, seconds=30) == 1


async def test_who_gives_up_does_not_go_on_standing_in_line(db: Database, stuck: Stuck) -> None:
    catalog = open_catalog(db)
    reads = [asyncio.create_task(read(catalog, stuck, seconds=0.5)) for _ in range(5 * MOST_READS)]
    outcomes = await asyncio.gather(*reads, return_exceptions=True)
    stuck.may_end.set()

    assert all(isinstance(outcome, CatalogUnavailable) for outcome in outcomes)
    assert await read(catalog, stuck, seconds=30) == 1
    assert stuck.n_begun == MOST_READS + 1


def garble(draw: random.Random) -> bytes:
    """What begins like the greeting or an answer of some server."""
    body = draw.choice([b"", b"\n5.5.5-10.11\0", b"\0\0\0", b"R\0\0\0"]) + draw.randbytes(draw.randrange(90))
    return draw.choice([b"", len(body).to_bytes(3, "little") + b"\0", b"HTTP/1.1 400 Bad Request\r\n"]) + body


@pytest.mark.parametrize("scheme", ["mysql+pymysql", "postgresql+psycopg"])
async def test_whatever_answers_in_place_of_the_database_it_is_away(scheme: str) -> None:
    draw = random.Random(1)

    async def answer_garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        writer.write(garble(draw))
        while await asyncio.wait_for(reader.read(65_536), 0.05):
            writer.write(garble(draw))

    async with misbehaving(answer_garbage) as url:
        with closing(open_database(f"{scheme}://nobody@{url.removeprefix('http://')}/none")) as db:
            catalog = open_catalog(db)
            for _ in range(40):
                with pytest.raises(CatalogUnavailable):
                    await catalog.read(lambda session: session.scalar(text("SELECT 1")), Deadline.after(30))
