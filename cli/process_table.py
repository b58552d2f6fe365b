"""What a mesh is made of, and the table of its processes: one mesh, and one table, per home."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from foundation.lock import is_held
from foundation.urls import local_url


@dataclass(frozen=True)
class ProcessSpec:
    """One process of the mesh: `bookmesh serve <name>`, and where it will listen."""

    name: str
    host: str
    port: int
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Address from this machine."""
        return local_url(self.host, self.port)


@dataclass(frozen=True)
class ProcessRow:
    """A row of the process table that `bookmesh status` reads."""

    name: str
    pid: int
    url: str


def lock_path(home: Path) -> Path:
    """The lock that the running mesh of a home holds."""
    return home / "run" / "mesh.lock"


def table_path(home: Path) -> Path:
    """Where the running mesh of a home keeps its process table."""
    return home / "run" / "processes.json"


def read_table(home: Path) -> list[ProcessRow]:
    """The processes of the running mesh; none where a mesh that was killed has left its table."""
    return read_rows(home) if is_held(lock_path(home)) else []


def read_rows(home: Path) -> list[ProcessRow]:
    """What the table says, whichever release wrote it and whether or not its mesh still runs."""
    try:
        rows = json.loads(table_path(home).read_text())
    except FileNotFoundError:
        return []
    return [ProcessRow(**row) for row in rows]


def write_table(home: Path, rows: Iterable[ProcessRow]) -> None:
    """Replace the table at once, so that nobody reads half of it."""
    path = table_path(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps([asdict(row) for row in rows], indent=1))
    temporary.replace(path)
