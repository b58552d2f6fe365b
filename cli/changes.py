"""What commands that change the catalog have in common: a session, a line in the log, a sentence."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from typing import Annotated, Any

import structlog
import typer
from sqlalchemy.orm import Session

from catalog.database import open_database
from catalog.schema import check_migrated
from catalog.settings import CatalogSettings
from cli.console import err, out
from cli.operator import read_operator
from telemetry.logs import configure_logging

log = structlog.get_logger()

Book = Annotated[int, typer.Argument(metavar="BOOK", help="Its book_id; `bookmesh books show` tells it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


@contextmanager
def reading() -> Iterator[Session]:
    """A session that only reads."""
    with closing(open_database(CatalogSettings().catalog_url)) as db:
        check_migrated(db)
        with db.session() as session:
            yield session


@contextmanager
def changing(event: str, **what: Any) -> Iterator[Session]:
    """A session whose changes are committed and logged at the end of the block, with who made them."""
    configure_logging("catalog", level="warning" if err.is_terminal else "info")
    with closing(open_database(CatalogSettings().catalog_url)) as db:
        check_migrated(db)
        with db.session(write=True) as session:
            yield session
    log.info(event, **what, by=read_operator())


def say(sentence: str) -> None:
    """Tell the operator what was done."""
    out.print(sentence, highlight=False, markup=False, soft_wrap=True)


def print_json(rows: Any) -> None:
    """Print one row, or a list of them."""
    out.print_json(data=[asdict(row) for row in rows] if isinstance(rows, list) else asdict(rows))
