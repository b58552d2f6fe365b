"""Two running meshes side by side: the CPU of a request and the memory of each, and the ratio of the two.

    python -m tests.bench.side_by_side OLD_HOME NEW_HOME

Start both together with `bookmesh up`, on copies of one home, each from its own release and on its own ports.
Every request goes to both, one after the other, so that whatever else the machine does meets both. What is
measured is CPU, not time. The interval knows rounds only: two starts of one release differ by a few percent.
"""

import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import random
from typing import Annotated, Any

import numpy as np
import psutil
import typer
from rich.console import Console
from rich.table import Table
from scipy.stats import bootstrap

from cli.own_key import read_headers
from cli.process_table import read_rows
from tests.bench.client import Client, find_readers

HISTORY_BOOKS = 500
MIB = 2**20
IDLE_S = 3.0
"""How long it is watched what the processes use when nobody asks."""

Used = np.ndarray[Any, Any]
Meshes = tuple["RunningMesh", "RunningMesh"]
Ask = Callable[["RunningMesh", int], object]
"""Sends the n-th request of a kind to a mesh."""


def read_cpu_s(pids: list[int]) -> float:
    """Seconds of CPU that processes have used so far."""
    # The id is what clock_getcpuclockid(3) gives. That clock counts nanoseconds; /proc, and so psutil,
    # counts hundredths of a second.
    return sum(time.clock_gettime(~pid << 3 | 2) for pid in pids)


class RunningMesh:
    """The processes of a mesh on this machine, by their table in its home."""

    def __init__(self, home: Path) -> None:
        rows = {row.name: row for row in read_rows(home)}
        if not rows:
            raise typer.BadParameter(f"no mesh runs on {home}; start one with `bookmesh up`")
        self.pids = {name: row.pid for name, row in rows.items()}
        self.gateway = Client(rows["gateway"].url, read_headers(home))
        self.als = Client(rows["als"].url)

    def cpu_s(self, names: list[str]) -> float:
        """Seconds of CPU that these processes have used so far."""
        return read_cpu_s([self.pids[name] for name in names])

    def pss_mib(self) -> float:
        """Memory of all processes together; what they share counts once."""
        return float(sum(psutil.Process(pid).memory_full_info().pss for pid in self.pids.values()) / MIB)


def main(
    old: Annotated[Path, typer.Argument(help="Home of the mesh to compare with.", metavar="OLD_HOME")],
    new: Annotated[Path, typer.Argument(help="Home of the mesh to judge.", metavar="NEW_HOME")],
    rounds: Annotated[int, typer.Option(min=7, help="Rounds of each kind of request.")] = 9,
    requests: Annotated[int, typer.Option(min=1, help="Requests of a round.")] = 300,
    readers: Annotated[int, typer.Option(min=1, help="Readers who take turns.")] = 100,
) -> None:
    """Compare the CPU of a request and the memory of two running meshes; Linux only."""
    meshes = RunningMesh(old), RunningMesh(new)
    user_ids = find_readers(meshes[0].gateway, readers)
    everything = list(meshes[0].pids)
    kinds: dict[str, tuple[Ask, list[str]]] = {
        "uncached recommendation": (partial(_ask_uncached, user_ids, random()), everything),
        "cached recommendation": (partial(_ask_cached, user_ids), everything),
        "rank, als server alone": (partial(_ask_rank, _read_histories(meshes[0], user_ids)), ["als"]),
    }
    table = Table("CPU of a request", "old, µs", "new, µs", "new / old", "95 % interval")
    for kind, (ask, names) in kinds.items():
        used_s = _alternate(meshes, ask, names, rounds=rounds, requests=requests)
        old_us, new_us = np.median(used_s, axis=1) * 1e6
        ratio, low, high = read_ratio(used_s)
        table.add_row(kind, f"{old_us:.0f}", f"{new_us:.0f}", f"{ratio:.3f}", f"{low:.3f} – {high:.3f}")
    old_mib, new_mib = (mesh.pss_mib() for mesh in meshes)
    table.add_section()
    table.add_row("memory (PSS), MiB", f"{old_mib:.0f}", f"{new_mib:.0f}", f"{new_mib / old_mib:.3f}", "")
    Console().print(table)


def _ask_uncached(user_ids: list[int], start: float, mesh: RunningMesh, number: int) -> None:
    # No request has had this weight, of this run or another, so no cache has its answer.
    weight = 0.2 + (start + number * 1e-6) % 0.1
    user_id = user_ids[number % len(user_ids)]
    mesh.gateway.get(f"/v1/users/{user_id}/recommendations", k=10, popularity_weight=weight)


def _ask_cached(user_ids: list[int], mesh: RunningMesh, number: int) -> None:
    mesh.gateway.get(f"/v1/users/{user_ids[number % len(user_ids)]}/recommendations", k=10)


def _ask_rank(histories: list[Any], mesh: RunningMesh, number: int) -> None:
    history = histories[number % len(histories)]
    mesh.als.post("/rank", {"history": history, "k": 40, "exclude": [book["book_id"] for book in history]})


def _read_histories(mesh: RunningMesh, user_ids: list[int]) -> list[Any]:
    pages = (
        json.loads(mesh.gateway.get(f"/v1/users/{each}/ratings", limit=HISTORY_BOOKS)) for each in user_ids
    )
    return [
        [{"book_id": item["book_id"], "rating": item["rating"]} for item in page["items"]] for page in pages
    ]


def _alternate(meshes: Meshes, ask: Ask, names: list[str], *, rounds: int, requests: int) -> Used:
    """CPU seconds of a request, (2, rounds): each request goes to both meshes, which take turns."""
    idle = _used_s(meshes, names, partial(time.sleep, IDLE_S)) / IDLE_S
    used_s = np.zeros((2, 1 + rounds))
    for n_round in range(1 + rounds):
        numbers = range(n_round * requests, (n_round + 1) * requests)
        started_s = time.monotonic()
        used_s[:, n_round] = _used_s(meshes, names, partial(_ask_both, meshes, ask, numbers))
        # Looking at each other every half second costs both alike, and would hide how they differ.
        used_s[:, n_round] -= idle * (time.monotonic() - started_s)
    return used_s[:, 1:] / requests  # the first round fills caches


def _used_s(meshes: Meshes, names: list[str], work: Callable[[], object]) -> Used:
    """CPU seconds that these processes of each mesh use while something is done, (2,)."""
    before_s = [mesh.cpu_s(names) for mesh in meshes]
    work()
    return np.subtract([mesh.cpu_s(names) for mesh in meshes], before_s)


def _ask_both(meshes: Meshes, ask: Ask, numbers: range) -> None:
    for number in numbers:
        for mesh in meshes if number % 2 else reversed(meshes):
            ask(mesh, number)


def read_ratio(used_s: Used) -> tuple[float, float, float]:
    """Median over rounds of new / old, and its bootstrapped 95 % interval."""
    ratios = used_s[1] / used_s[0]
    interval = bootstrap(
        (ratios,), np.median, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    return float(np.median(ratios)), float(interval.low), float(interval.high)


if __name__ == "__main__":
    typer.run(main)
