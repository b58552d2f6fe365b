"""What a run serves: a home with a trained catalog, whom it asks for, and what the baselines need of it."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np
import typer

from artifacts.store import ArtifactStore
from servers.als.model import AlsModel
from tests.bench.serving.processes import outer_environment
from tests.homes import ROOT

BASELINES: Final = Path(__file__).parent / "baselines"
SHORTEST_LIST: Final = 10


@dataclass(frozen=True)
class Asked:
    """Ids of whom and what is asked for, in an order of this run."""

    user_ids: list[int]
    """Readers who have read something."""
    book_ids: list[int]

    def each_reader(self) -> Iterator[tuple[int, int]]:
        """Readers with the length of their list; none is asked for twice, so no answer is cached."""
        return ((each, k) for k in count(SHORTEST_LIST) for each in self.user_ids)

    def each_book(self) -> Iterator[tuple[int, int]]:
        """The same with books."""
        return ((each, k) for k in count(SHORTEST_LIST) for each in self.book_ids)


def catalog_path(home: Path) -> Path:
    """Where a home has its embedded catalog."""
    return home / "catalog.db"


def make_home(home: Path, n_books: int) -> None:
    """Import so many made-up books, 1.2 readers and 4.8 ratings each, and train; what is there stays."""
    sizes = ("--books", n_books, "--readers", n_books * 6 // 5, "--ratings", n_books * 24 // 5)
    for words in (("import", "demo", "--if-empty", *sizes), ("train", "--if-none")):
        command = [sys.executable, "-m", "cli.main", *map(str, words)]
        environment = outer_environment() | {"BOOKMESH_HOME": str(home)}
        subprocess.run(command, cwd=ROOT, env=environment, check=True)


def copy_home(home: Path, copy: Path) -> None:
    """What serving needs of a home; that one stays as it is."""
    if not catalog_path(home).exists():
        raise typer.BadParameter(f"{home} has no embedded catalog", param_hint="--home")
    shutil.copytree(home, copy, ignore=shutil.ignore_patterns("logs", "run", "steps", "comparisons"))


def read_asked(home: Path, seed: int) -> Asked:
    """Everybody and everything of a catalog, shuffled by a seed."""
    random = Random(seed)
    with sqlite3.connect(f"file:{catalog_path(home)}?mode=ro", uri=True) as db:
        user_ids = [row[0] for row in db.execute("SELECT DISTINCT user_id FROM ratings")]
        books = "SELECT DISTINCT book_id FROM ratings JOIN books USING (book_id) WHERE hidden IS NULL"
        book_ids = [row[0] for row in db.execute(books)]
    for ids in (user_ids, book_ids):
        random.shuffle(ids)
    return Asked(user_ids, book_ids)


def make_environment(folder: Path) -> Path:
    """The interpreter of an environment with what bookmesh is compared with; made once."""
    python, requirements = folder / "bin" / "python", BASELINES / "requirements.txt"
    installed = folder / requirements.name
    if not installed.exists() or installed.read_bytes() != requirements.read_bytes():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--requirement", requirements], check=True)
        installed.write_bytes(requirements.read_bytes())
    return python


def write_factors(home: Path, folder: Path) -> None:
    """The factors of the current version, for programs that have nothing of ours."""
    folder.mkdir()
    store = ArtifactStore(home / "artifacts")
    current = store.current()
    if current is None:
        raise typer.BadParameter("the home has no version; run `bookmesh train`", param_hint="--home")
    model: Any = store.load(store.manifest(current), "als", AlsModel).record
    als = model.evidence.als
    for name, array in (("book_ids", model.book_ids), ("item_factors", als.item_factors), ("gram", als.gram)):
        np.save(folder / name, array)
