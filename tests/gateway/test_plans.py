"""Every query of the gateway has its index, and no request sends more of them for more books."""

import inspect
from collections.abc import Iterator

import pytest

from catalog.database import Database
from gateway.catalog import Catalog
from tests.gateway.plans import (
    ANY_QUERY,
    BOOKS,
    CALLS,
    READS_EVERYTHING,
    can_be_explained,
    collect,
    explain,
    large_catalog,
)
from tests.services import new_mariadb_database, new_postgresql_database


@pytest.fixture(scope="module", params=["sqlite", "sqlite, never analysed", "mariadb", "postgresql"])
def large(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A catalog of 100,000 ratings."""
    if request.param.startswith("sqlite"):
        path = tmp_path_factory.mktemp("large") / "catalog.db"
        with large_catalog(f"sqlite:///{path}", analysed=request.param == "sqlite") as db:
            yield db
        return
    create = {"mariadb": new_mariadb_database, "postgresql": new_postgresql_database}[request.param]
    with create(request.getfixturevalue(f"{request.param}_port")) as url, large_catalog(url) as db:
        yield db


def test_every_query_of_the_gateway_is_looked_at() -> None:
    methods = inspect.getmembers(Catalog, inspect.iscoroutinefunction)

    assert {name for name, _ in methods if not name.startswith("_")} == CALLS.keys() | ANY_QUERY


@pytest.mark.parametrize("name", CALLS)
async def test_no_query_reads_a_large_table_from_end_to_end(name: str, large: Database) -> None:
    sent = [each for each in await collect(large, name, BOOKS) if can_be_explained(each[0])]
    plans = [explain(large, *each) for each in sent]

    scanning = [plan for plan in plans if plan.scanned]

    assert plans
    assert not scanning or name in READS_EVERYTHING, scanning


@pytest.mark.parametrize("name", CALLS)
async def test_more_books_are_no_more_queries(name: str, large: Database) -> None:
    await collect(large, name, BOOKS)  # of what is rated already each call finds the same

    few, many = [len(await collect(large, name, book_ids)) for book_ids in (BOOKS[:2], BOOKS)]

    assert few == many
