"""How long readers who rate wait while an import runs, over the catalog that the same import has filled.

python -m tests.bench.import_waits -- demo --books 20000 --readers 50000 --ratings 300000
python -m tests.bench.import_waits --on mariadb -- book-crossing BX --open-library OL
"""

import os
import subprocess
import sys
import time
from contextlib import closing
from functools import partial
from typing import Annotated

import numpy as np
import typer
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from catalog.database import Database, open_database
from catalog.ratings import put_rating
from catalog.tables import Book, Rating
from tests.bench.databases import Kind, new_database

PAUSE_S = 0.02


def rate_until_done(
    db: Database, process: "subprocess.Popen[bytes]", pairs: list[tuple[int, int]]
) -> list[float]:
    """Rate one book after the other until the import ends; the seconds that each rating took."""
    waits, n_failed = [], 0
    while process.poll() is None:
        user_id, book_id = pairs[len(waits) % len(pairs)]
        started = time.perf_counter()
        try:
            db.write(partial(put_rating, user_id=user_id, book_id=book_id, rating=7.0))
        except SQLAlchemyError as error:
            n_failed += 1
            print(type(error).__name__, str(error)[:100])
        waits.append(time.perf_counter() - started)
        time.sleep(PAUSE_S)
    print(f"{n_failed} of {len(waits)} failed")
    return waits


def main(
    source: Annotated[list[str], typer.Argument(help="What follows `bookmesh import`.")],
    on: Annotated[Kind, typer.Option(help="The database.")] = Kind.SQLITE,
) -> None:
    """Import twice; rate during the second time."""
    with new_database(on) as url:
        command = [sys.executable, "-m", "cli.main", "import", *source]
        environment = os.environ | {"BOOKMESH_DATABASE_URL": url}
        subprocess.run(command, env=environment, check=True, capture_output=True)
        with closing(open_database(url)) as db:
            with db.session() as session:
                shown = select(Rating.user_id, Rating.book_id).join(Book, Book.book_id == Rating.book_id)
                rows = session.execute(shown.where(Book.hidden.is_(None)).limit(500))
                pairs = [(row[0], row[1]) for row in rows]
            started = time.perf_counter()
            with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
                waits = rate_until_done(db, process, pairs)
        print(f"{on}: an import of {time.perf_counter() - started:.1f} s, {len(waits)} ratings meanwhile")
        print(f"{on}: longest wait {max(waits):.2f} s, median {np.median(waits) * 1000:.1f} ms")


if __name__ == "__main__":
    typer.run(main)
