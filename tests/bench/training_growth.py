"""How time and memory of a training grow with the catalog, step by step: t = c · books^exponent.

    python -m tests.bench.training_growth
    python -m tests.bench.training_growth --books 25000 --books 50000 --folder /var/tmp/growth

Readers and ratings grow along. Each training is a process of its own, and what is fitted is its own time on
processors, which other work on the machine does not change. The gate may refuse a version of made-up readers:
its checks have been made all the same.
"""

import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import typer

from artifacts.store import ArtifactStore
from catalog.database import open_database
from pipeline.run import train
from pipeline.settings import TrainSettings
from pipeline.stepping.progress import Progress, StepRun

READERS_A_BOOK, RATINGS_A_BOOK = 1.2, 4.8
WHOLE = "all nine"


class Cost(NamedTuple):
    """What one training took."""

    cpu_seconds: dict[str, float]
    """Of each step, over all data that it ran on, and of the whole."""
    seconds: float
    peak_mib: float


class CpuOfSteps(Progress):
    """Adds up the time on processors between the start and the end of each step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._since = 0.0

    def step_started(self, number: int, name: str, data: str) -> None:
        self._since = read_cpu_seconds()

    def step_finished(self, run: StepRun) -> None:
        self.seconds[f"{run.number} {run.name}"] += read_cpu_seconds() - self._since


def read_cpu_seconds() -> float:
    """Of this process with all its threads, and of children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def measure(home: Path) -> Cost:
    """Train on the catalog of this home, in a process that has done nothing else."""
    os.environ["BOOKMESH_HOME"] = str(home)
    settings, progress = TrainSettings(), CpuOfSteps()
    started = time.perf_counter()
    train(
        settings,
        open_database(settings.catalog_url),
        ArtifactStore(settings.artifacts_root),
        progress=progress,
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Cost(
        {**progress.seconds, WHOLE: read_cpu_seconds()}, seconds=time.perf_counter() - started, peak_mib=peak
    )


def train_generated(n_books: int, home: Path) -> Cost:
    """Make up so many books and train on them."""
    command = [
        sys.executable, "-m", "cli.main", "import", "demo", "--books", str(n_books),
        "--readers", str(int(n_books * READERS_A_BOOK)), "--ratings", str(int(n_books * RATINGS_A_BOOK)),
    ]  # fmt: skip
    environment = os.environ | {"BOOKMESH_HOME": str(home)}
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as alone:
        return alone.submit(measure, home).result()


def main(
    books: Annotated[list[int] | None, typer.Option(help="Books to make up; at least two sizes.")] = None,
    folder: Annotated[Path | None, typer.Option(help="Keeps the homes here.")] = None,
) -> None:
    """Train at each size, then print what each step took and its exponent."""
    sizes = books or [125_000, 250_000]
    with tempfile.TemporaryDirectory(prefix="bookmesh_bench_") as temporary:
        costs = []
        for n_books in sizes:
            cost = train_generated(n_books, (folder or Path(temporary)) / str(n_books))
            costs.append(cost)
            print(f"{n_books:,} books: {cost.seconds:.0f} s, {cost.peak_mib:.0f} MiB at most", flush=True)
    print(f"| step | {' | '.join(f'{size:,} books' for size in sizes)} | exponent |")
    print("|---|" + "--:|" * (len(sizes) + 1))
    for step in costs[0].cpu_seconds:
        seconds = [cost.cpu_seconds[step] for cost in costs]
        exponent, _ = np.polyfit(np.log(sizes), np.log(seconds), 1)
        print(f"| {step} | {' | '.join(f'{each:.1f} s' for each in seconds)} | {exponent:.2f} |")


if __name__ == "__main__":
    typer.run(main)
