"""An empty database of each kind that we promise to run on, for scripts that measure."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from tests.services import (
    new_mariadb_database,
    new_postgresql_database,
    running_mariadb,
    running_postgresql,
)


class Kind(StrEnum):
    """Which database."""

    SQLITE = "sqlite"
    MARIADB = "mariadb"
    POSTGRESQL = "postgresql"


@contextmanager
def new_database(kind: Kind) -> Iterator[str]:
    """SQLAlchemy URL of an empty database, whose server runs to the end of the block."""
    with tempfile.TemporaryDirectory(prefix="bookmesh_bench_") as name:
        if kind is Kind.SQLITE:
            yield f"sqlite:///{name}/catalog.db"
        elif kind is Kind.MARIADB:
            with running_mariadb(Path(name)) as port, new_mariadb_database(port) as url:
                yield url
        else:
            with running_postgresql() as port, new_postgresql_database(port) as url:
                yield url
