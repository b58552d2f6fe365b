"""How fast lists are served, beside what else could serve them: tables and plots.

    python -m tests.bench.serving                    # 5,000 made-up books, trained at the first run
    python -m tests.bench.serving --books 250000     # the same at size
    python -m tests.bench.serving --home .bookmesh   # a copy of a home with an embedded catalog

All processes are started on free ports and ended by the run itself, and all take turns. Linux only.
"""

import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tests.bench.serving import homes, plots, report
from tests.bench.serving.measuring import measure, overload
from tests.bench.serving.processes import ONE_THREAD, outer_environment
from tests.bench.serving.targets import BEFORE, MESH, UNLIMITED, Series, Targets
from tests.homes import ROOT, Home
from tests.meshes import running_mesh

WORK = ROOT / "build" / "bench"
CONNECTIONS = (1, 16, 50)
console = Console(stderr=True)


def main(
    books: Annotated[int, typer.Option(min=1000, help="Books of the made-up catalog.")] = 5_000,
    home: Annotated[Path | None, typer.Option(help="A trained home to copy instead of making one.")] = None,
    before: Annotated[Path | None, typer.Option(help="A checkout of other code, to measure it too.")] = None,
    output: Annotated[Path, typer.Option(help="Folder of tables and plots.")] = WORK / "results",
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each series.")] = 3,
    seconds: Annotated[float, typer.Option(min=0.2, help="Length of a turn.")] = 3.0,
    overload_seconds: Annotated[float, typer.Option(min=1, help="Length of each overload.")] = 30.0,
    seed: Annotated[int | None, typer.Option(help="Order of readers and books; by default the time.")] = None,
) -> None:
    """Measure lists by bookmesh, by a classic app and by LitServe, and what none can be faster than."""
    seed = int(time.time()) if seed is None else seed
    WORK.mkdir(parents=True, exist_ok=True)
    output.mkdir(parents=True, exist_ok=True)
    facts = {"date": time.strftime("%Y-%m-%d"), **report.describe_machine(), "seed": seed}
    if home is None:
        home = WORK / f"home-{books}"
        console.print(f"a catalog of {books} books in {home}")
        homes.make_home(home, books)
    console.print(f"what bookmesh is compared with, in {WORK / 'baselines'}")
    python = homes.make_environment(WORK / "baselines")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bookmesh_bench_")))
        homes.copy_home(home, folder / "home")
        asked = homes.read_asked(folder / "home", seed)
        homes.write_factors(folder / "home", folder / "factors")
        facts |= {"readers": len(asked.user_ids), "books": len(asked.book_ids)}
        facts["a product with all factors"] = _scan(folder / "factors")
        series = _start(stack, folder, asked, python, before)
        tell = console.print
        measured = measure(series, connections=CONNECTIONS, rounds=rounds, seconds=seconds, tell=tell)
        peak = max(CONNECTIONS, key=lambda n: measured[MESH].median(n, lambda each: each.rate))
        overloaded = overload(series[0], peak, seconds=overload_seconds, tell=tell)
    results = report.Results(facts, CONNECTIONS, measured, overloaded)
    report.write(results, output)
    plots.draw(results, output)
    print((output / "bench.md").read_text())
    console.print(f"tables and plots are in {output}")


def _start(
    stack: ExitStack, folder: Path, asked: homes.Asked, python: Path, before: Path | None
) -> list[Series]:
    """Everything that is measured; of two that are compared, both run all the time."""
    home, targets = Home(folder / "home"), Targets(stack, folder, asked)
    if before is not None:
        homes.copy_home(home.path, folder / "before")
    console.print("starting everything")
    mesh = stack.enter_context(running_mesh(home, **UNLIMITED))
    others = [targets.classic(home, python), targets.framework(home, python, folder / "factors")]
    if before is not None:
        former = Home(folder / "before", checkout=before.resolve())
        others += targets.mesh(stack.enter_context(running_mesh(former, **UNLIMITED)), BEFORE)
    return [*targets.mesh(mesh), *others, targets.layers(mesh), *targets.floor()]


def _scan(factors: Path) -> str:
    command = [sys.executable, "-m", "tests.bench.serving.memory_scan", str(factors / "item_factors.npy")]
    environment = {**outer_environment(), **ONE_THREAD}
    return subprocess.check_output(command, cwd=ROOT, env=environment, text=True).strip()


if __name__ == "__main__":
    typer.run(main)
