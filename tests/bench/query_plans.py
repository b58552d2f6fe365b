"""How each database answers the queries of the gateway, on 100,000 ratings, analysed.

python -m tests.bench.query_plans
"""

import asyncio
from typing import Annotated

import typer

from tests.bench.databases import Kind, new_database
from tests.gateway.plans import (
    BOOKS,
    CALLS,
    READS_EVERYTHING,
    can_be_explained,
    collect,
    explain,
    large_catalog,
)

WIDTH = 150


def main(on: Annotated[list[Kind] | None, typer.Option(help="Which databases.")] = None) -> None:
    """Print every plan."""
    for kind in on or list(Kind):
        with new_database(kind) as url, large_catalog(url) as db:
            for name in CALLS:
                print(f"\n== {kind}: {name}", READS_EVERYTHING.get(name, ""))
                for statement, parameters in asyncio.run(collect(db, name, BOOKS[:3])):
                    if can_be_explained(statement):
                        plan = explain(db, statement, parameters)
                        print(f"{plan.statement[:WIDTH]}")
                        print(*(f"    {line}" for line in plan.lines), sep="\n")


if __name__ == "__main__":
    typer.run(main)
