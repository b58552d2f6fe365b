"""What readers notice of a reload: latency of lists while all servers load a version, and while none does.

    python -m tests.bench.serving.reloads --home .bookmesh   # a copy of a home with an embedded catalog

Both take turns. The version that is loaded is new in every object, as after a training. Linux only.
"""

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import httpx
import numpy as np
import typer

from cli.reloading import signal_servers
from contracts.shell import INFO_PATH, SERVER_NAMES
from tests.bench.serving import homes
from tests.bench.serving.load import PERCENTILES, drive
from tests.bench.serving.renewed import seal_renewed
from tests.bench.serving.targets import UNLIMITED, Series, Targets
from tests.homes import Home
from tests.loopback.broken import point_at
from tests.meshes import Mesh, running_mesh, wait_until

FORGETFUL = {"BOOKMESH_SERVERS__KEEP_PREVIOUS_S": "0.5"}
"""What was replaced is dropped at once, so that the way back loads it anew."""
PATIENCE_S = 120
WARM_UP_S = 5.0


def main(
    home: Annotated[Path, typer.Option(help="A trained home to copy.")],
    rounds: Annotated[int, typer.Option(min=1, help="Reloads.")] = 6,
    connections: Annotated[list[int] | None, typer.Option(help="Connections at once.")] = None,
) -> None:
    """Print percentiles of the latency of lists, with and without reloads."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bookmesh_bench_")))
        homes.copy_home(home, folder / "home")
        asked = homes.read_asked(folder / "home", int(time.time()))
        copy = Home(folder / "home")
        versions = [str(copy.store.current()), seal_renewed(copy.store).version]
        mesh = stack.enter_context(running_mesh(copy, **UNLIMITED, **FORGETFUL))
        series = Targets(stack, folder, asked).mesh(mesh)[0]
        print("| connections | | requests | p50, ms | p95 | p99 | longest | reload, s |")
        print("|---:|---|---:|---:|---:|---:|---:|---:|")
        for n in connections or [1, 16]:
            drive(series.url, series.requests, connections=n, seconds=WARM_UP_S)
            _compare(mesh, series, versions, n, rounds)


def _compare(mesh: Mesh, series: Series, versions: list[str], connections: int, rounds: int) -> None:
    calm: list[float] = []
    reloading: list[float] = []
    took_s = []
    for _ in range(rounds):
        versions.reverse()
        took_s.append(_drive_through(mesh, series, versions[0], connections, reloading))
        wait_until(lambda: _is_settled(mesh), patience_s=PATIENCE_S)
        calm += drive(series.url, series.requests, connections=connections, seconds=took_s[-1]).seconds
    for name, seconds in (("without", calm), ("while all servers load", reloading)):
        ms = [*np.percentile(seconds, PERCENTILES) * 1000, max(seconds) * 1000]
        last = "" if seconds is calm else f"{np.median(took_s):.1f}"
        figures = " | ".join(f"{each:.1f}" for each in ms)
        print(f"| {connections} | {name} | {len(seconds)} | {figures} | {last} |", flush=True)
    ratio = np.percentile(reloading, 99) / np.percentile(calm, 99)
    print(f"| {connections} | p99, ratio | | | | {ratio:.2f} | | |", flush=True)


def _drive_through(mesh: Mesh, series: Series, version: str, connections: int, seconds: list[float]) -> float:
    """Ask for lists for as long as the servers load a version; how long that was."""
    done = threading.Event()
    started_s = time.monotonic()

    def load() -> None:
        point_at(mesh.home.store, version)
        signal_servers({name: mesh.url(name) for name in SERVER_NAMES})
        done.set()

    def until_done() -> Iterator[bytes]:
        while not done.is_set():
            yield next(series.requests)

    thread = threading.Thread(target=load)
    thread.start()
    seconds += drive(series.url, until_done(), connections=connections, seconds=PATIENCE_S).seconds
    thread.join()
    return time.monotonic() - started_s


def _is_settled(mesh: Mesh) -> bool:
    """Whether all servers hold the current version alone."""
    infos = [httpx.get(mesh.url(name) + INFO_PATH).json() for name in SERVER_NAMES]
    return all(info["held"] == [mesh.home.store.current()] for info in infos)


if __name__ == "__main__":
    typer.run(main)
