"""How time and memory of an import grow with the ratings: t = c · ratings^exponent, fitted to several sizes.

    python -m tests.bench.import_growth
    python -m tests.bench.import_growth --on mariadb --millions 1 --millions 2

Books and readers grow along. Each import is a process of its own, and what is fitted is its own time on a
processor, which other work on the machine does not change; a server's is not in it.
"""

import os
import subprocess
import sys
import time
from typing import Annotated, NamedTuple

import numpy as np
import typer

from tests.bench.databases import Kind, new_database

RATINGS_A_READER, RATINGS_A_BOOK = 5, 10


class Cost(NamedTuple):
    """What one import took."""

    seconds: float
    cpu_seconds: float
    peak_mib: float


def measure(url: str, n_ratings: int) -> Cost:
    """Import so many made-up ratings."""
    command = [
        sys.executable, "-m", "cli.main", "import", "demo", "--ratings", str(n_ratings),
        "--readers", str(n_ratings // RATINGS_A_READER), "--books", str(n_ratings // RATINGS_A_BOOK),
    ]  # fmt: skip
    started = time.perf_counter()
    process = subprocess.Popen(
        command, env=os.environ | {"BOOKMESH_DATABASE_URL": url}, stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise typer.Exit(os.waitstatus_to_exitcode(status))
    return Cost(time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def main(
    on: Annotated[Kind, typer.Option(help="The database.")] = Kind.SQLITE,
    millions: Annotated[list[float] | None, typer.Option(help="Ratings, in millions.")] = None,
) -> None:
    """Import several sizes and print what each took, and the exponent."""
    sizes = [int(each * 1_000_000) for each in millions or (1, 2, 4)]
    costs = []
    for n_ratings in sizes:
        with new_database(on) as url:
            cost = measure(url, n_ratings)
        costs.append(cost)
        print(
            f"{on} {n_ratings:>9,} ratings: {cost.seconds:6.1f} s, {cost.cpu_seconds:6.1f} s of processor, "
            f"{cost.peak_mib:5.0f} MiB at most",
            flush=True,
        )
    for name in ("cpu_seconds", "seconds") if len(sizes) > 1 else ():
        exponent, _ = np.polyfit(np.log(sizes), np.log([getattr(cost, name) for cost in costs]), 1)
        print(f"{on} exponent of {name.replace('_', ' ')}: {exponent:.3f}")


if __name__ == "__main__":
    typer.run(main)
