"""How soon a running mesh knows a new book, phase by phase, and what fails for those who read meanwhile.

python -m tests.bench.new_books HOME --books 5
"""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Annotated, Any, Final

import psutil
import typer
from sqlalchemy import func, select

from catalog.database import Database, open_database
from catalog.editing.books import add_book
from catalog.tables import Author, BookAuthor, Rating
from contracts.shell import SERVER_NAMES
from tests.homes import Home
from tests.loopback.load import ListQuery, has_more, steady_load
from tests.meshes import Mesh, running_mesh, wait_until

PER_SECOND: Final = 10.0
PATIENCE_S: Final = 180.0
MIB: Final = 2**20

Phases = dict[str, float]
"""Seconds from the moment at which a book was added until each thing had happened."""


def find_lovers(db: Database, n: int) -> list[tuple[int, str]]:
    """So many readers and the author that each loves: no reader and no author twice."""
    with db.session() as session:
        found = session.execute(
            select(Rating.user_id, Author.name)
            .join(BookAuthor, BookAuthor.book_id == Rating.book_id)
            .join(Author)
            .where(Rating.rating >= 8)
            .group_by(Rating.user_id, Author.name)
            .order_by(func.count().desc(), Rating.user_id)
            .limit(100 * n)
        ).all()
    lovers: dict[int, str] = {}
    for user_id, author in found:
        if user_id not in lovers and author not in lovers.values():
            lovers[user_id] = author
    return list(lovers.items())[:n]


def add_and_wait(mesh: Mesh, db: Database, user_id: int, author: str, number: int) -> Phases:
    """Add a book by this author, and wait until this reader gets it."""
    title, former = f"Zyxophone Compendium {number}", mesh.get("/v1/version")["version"]
    with db.session(write=True) as session:
        book_id = add_book(session, {"title": title, "authors": [author], "subjects": ["Lighthouses"]})
    started_s = time.time()
    paths = {
        "found": f"/v1/search?q={title}",
        "similar": f"/v1/books/{book_id}/similar?k=10",
        "listed": f"/v1/users/{user_id}/recommendations?k=10",
    }
    seen: Phases = {}

    def look() -> bool:
        for name in paths.keys() - seen.keys():
            body = mesh.client.get(paths[name]).json()
            book_ids = [item["book_id"] for item in body.get("items", [])]
            has_similar = body.get("version") != former and bool(book_ids)
            if has_similar if name == "similar" else book_id in book_ids:
                seen[name] = time.time() - started_s
        return len(seen) == len(paths)

    wait_until(look, patience_s=PATIENCE_S)
    return read_logs(mesh.home.path, started_s) | {name: seen[name] for name in paths}


def read_logs(home: Path, since_s: float) -> Phases:
    """What the worker and the servers have written down since then."""
    phases: Phases = {}
    for line in read_lines(home, "worker"):
        at_s = line["at_s"] - since_s
        match line["event"]:
            case "job begun" if at_s > 0:
                phases["begun"] = at_s
            case "step finished" if at_s > 0:
                phases.setdefault("ready", at_s - line["seconds"])
                phases[line["step"]] = at_s
    loaded = [
        line["at_s"] - since_s
        for name in SERVER_NAMES
        for line in read_lines(home, name)
        if line["event"] == "version is current" and line["at_s"] > since_s
    ]
    return phases | {"first loaded": min(loaded), "all loaded": max(loaded)}


def read_lines(home: Path, process: str) -> Iterator[dict[str, Any]]:
    for text in (home / "logs" / f"{process}.log").read_text().splitlines():
        line = json.loads(text)
        yield line | {"at_s": datetime.fromisoformat(line["at"]).timestamp()}


def measure_worker(mesh: Mesh) -> float:
    """PSS of the worker and of what it has started, in bytes."""
    worker = psutil.Process(mesh.pid("worker"))
    return sum(each.memory_full_info().pss for each in (worker, *worker.children(recursive=True)))


def print_phases(title: str, phases: Phases) -> None:
    print(f"{title}:", "  ".join(f"{name} {seconds:.1f}" for name, seconds in phases.items()), flush=True)


def main(
    home: Annotated[Path, typer.Argument(help="A migrated home with a version, which is copied.")],
    books: Annotated[int, typer.Option(help="Books to add, one after the other.")] = 5,
) -> None:
    """Print a line for each book, and the medians."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Home(home).copy(Path(folder) / "home")
        with closing(open_database(f"sqlite:///{copy.path / 'catalog.db'}")) as db:
            lovers = find_lovers(db, books)
            queries = [
                query
                for user_id, author in lovers
                for query in (
                    ListQuery(f"/v1/users/{user_id}/recommendations"),
                    ListQuery("/v1/search", {"q": author}),
                    ListQuery("/v1/search/semantic", {"q": f"a war that {author} tells of"}),
                    ListQuery(f"/v1/books/{user_id % 1000 + 1}/similar"),
                )
            ]
            with (
                running_mesh(copy) as mesh,
                steady_load(mesh.client, queries, per_second=PER_SECOND) as load,
            ):
                wait_until(has_more(load, 50), patience_s=PATIENCE_S)
                print(f"worker when idle: {measure_worker(mesh) / MIB:.0f} MiB (PSS)")
                rounds = []
                for number, (user_id, author) in enumerate(lovers):
                    rounds.append(add_and_wait(mesh, db, user_id, author, number))
                    print_phases(f"load {psutil.getloadavg()[0]:.0f}", rounds[-1])
                    wait_until(has_more(load, 50), patience_s=PATIENCE_S)
    print_phases("median", {name: median(each[name] for each in rounds) for name in rounds[0]})
    failed, degraded = len(load.failures), load.degraded.total()
    print(f"{len(load.outcomes)} requests meanwhile, {failed} failed, {degraded} degraded")
    for failure in load.failures[:5]:
        print(failure.query.path, failure.status, str(failure.body)[:200])


if __name__ == "__main__":
    typer.run(main)
