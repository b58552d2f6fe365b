"""A machine that is read from and written to while faults strike it, at random from a seed."""

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Final, NamedTuple

import httpx
import psutil

from tests.bench.serving.processes import MIB
from tests.deploy.production import Production
from tests.deploy.publishing import PATIENCE_S, PER_SECOND, QUERIES, Published
from tests.deploy.units import SERVICES
from tests.loopback.load import Outcome, has_more, steady_load
from tests.loopback.twin import seal_twin
from tests.meshes import wait_until

N_WRITERS: Final = 2
FIRST_WRITTEN: Final = 100
"""Readers from here on are written to; those before are read, and must be answered alike all the time."""
READERS_OF_WRITER: Final = 50
PAUSE_S: Final = (0.5, 3.0)
STOPPED_S: Final = (0.5, 4.0)
RESTART_S: Final = 1.0
"""As our units have it."""
SAMPLED_EVERY_S: Final = 2.0
STRUCK_FOR_S: Final = 15.0
"""What is left of a fault of the gateway may cut requests for so long on a busy machine."""
GATEWAY: Final = "bookmesh-gateway.service"


class Fault(NamedTuple):
    """What was done to the machine, and when; monotonic."""

    at_s: float
    what: str
    service: str
    """Nothing where the pointer was moved."""


class Sample(NamedTuple):
    """Of all processes together."""

    at_s: float
    pss_mib: float
    n_files: int


@dataclass
class Writer:
    """Rates books of its own readers, one after the other, and knows which ratings it may rely on."""

    user_ids: range
    random: Random
    stored: dict[tuple[int, int], int] = field(default_factory=dict)
    """What was acknowledged last, by reader and book."""
    unsure: dict[tuple[int, int], set[int]] = field(default_factory=dict)
    """What was sent since and not acknowledged: it may be there or not."""
    n_acknowledged: int = 0

    def write(self, client: httpx.Client, book_ids: Sequence[int]) -> None:
        pair = self.random.choice(self.user_ids), self.random.choice(book_ids)
        rating = self.random.randint(1, 10)
        try:
            answer = client.put(f"/v1/users/{pair[0]}/ratings/{pair[1]}", json={"rating": rating})
        except httpx.TransportError:
            self.unsure.setdefault(pair, set()).add(rating)
            return
        if answer.is_success:
            self.stored[pair] = rating
            self.unsure.pop(pair, None)
            self.n_acknowledged += 1
        else:
            self.unsure.setdefault(pair, set()).add(rating)

    def find_lost(self, ratings: dict[tuple[int, int], float]) -> list[tuple[int, int]]:
        """Acknowledged ratings that are not there, and were not followed by another that may be."""
        return [
            pair
            for pair, rating in self.stored.items()
            if ratings.get(pair) not in {rating, *self.unsure.get(pair, ())}
        ]


@dataclass
class Soak(Published):
    """What was done, and what came of it."""

    faults: list[Fault] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    writers: list[Writer] = field(default_factory=list)
    lost: list[tuple[int, int]] = field(default_factory=list)

    def find_unexplained(self) -> list[Outcome]:
        """Failed requests that were not under way in a gateway that was struck."""
        struck_s = [fault.at_s for fault in self.faults if fault.service == GATEWAY]
        return [
            each
            for each in self.load.failures
            if not any(at_s <= each.at_s <= at_s + STRUCK_FOR_S for at_s in struck_s)
        ]

    def growth(self, figure: Callable[[Sample], float]) -> float:
        """The ninth decile of the last third of the samples, when all processes ran, by that of the first."""
        third = len(self.samples) // 3
        first, last = (sorted(map(figure, each)) for each in (self.samples[:third], self.samples[-third:]))
        return last[third * 9 // 10] / first[third * 9 // 10]


def soak(production: Production, *, seconds: float, seed: int) -> Soak:
    """Use the machine for so long, strike it meanwhile, and wait until it is whole again."""
    store, random = production.host.home.store, Random(seed)
    versions = [str(store.current()), seal_twin(store, 1).version, seal_twin(store, 2).version]
    with ExitStack() as stack:
        load = stack.enter_context(
            steady_load(production.client, QUERIES, per_second=PER_SECOND, timeout_s=PATIENCE_S)
        )
        soak = Soak(versions, load)
        soak.writers = stack.enter_context(_writing(production, seed))
        stack.enter_context(_repeating(lambda: _revive(production), every_s=RESTART_S))
        stack.enter_context(_repeating(lambda: _take_sample(production, soak), every_s=SAMPLED_EVERY_S))
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            time.sleep(random.uniform(*PAUSE_S))
            with suppress(psutil.NoSuchProcess):  # what was just struck has nothing left to strike
                soak.faults.append(_strike(production, versions, random))
        wait_until(production.is_whole, patience_s=PATIENCE_S)
        wait_until(has_more(load, 20), patience_s=PATIENCE_S)
    ratings = read_ratings(production)
    soak.lost = [pair for writer in soak.writers for pair in writer.find_lost(ratings)]
    return soak


def read_ratings(production: Production) -> dict[tuple[int, int], float]:
    """All that the catalog holds, by reader and book."""
    with sqlite3.connect(f"file:{production.host.home.path}/catalog.db?mode=ro", uri=True) as db:
        rows = db.execute("SELECT user_id, book_id, rating FROM ratings").fetchall()
    return {(user_id, book_id): rating for user_id, book_id, rating in rows}


def describe(soak: Soak, *, seed: int, seconds: float, n_mixed: int) -> Iterator[str]:
    """The closing lines."""
    outcomes = soak.load.outcomes
    kinds = Counter(fault.what for fault in soak.faults)
    yield f"seed {seed}, {seconds:.0f} s, {len(outcomes):,} lists and searches asked for"
    yield f"{len(soak.faults)} faults: " + ", ".join(f"{n} × {what}" for what, n in sorted(kinds.items()))
    yield (
        f"{sum(writer.n_acknowledged for writer in soak.writers):,} ratings acknowledged, {len(soak.lost)} of"
        f" them lost; {sum(len(writer.unsure) for writer in soak.writers)} not acknowledged"
    )
    yield (
        f"{len(soak.load.failures)} requests failed, {len(soak.find_unexplained())} of them not in a gateway"
        f" that was struck; {n_mixed} answers of two versions"
    )
    degraded = ", ".join(f"{name} {n}" for name, n in sorted(soak.load.degraded.items()))
    yield f"lists made without a server: {degraded or 'none'}"
    yield (
        f"memory (PSS) grew {soak.growth(lambda each: each.pss_mib):.3f}-fold, open files"
        f" {soak.growth(lambda each: each.n_files):.3f}-fold, from the first third to the last"
    )


def _strike(production: Production, versions: Sequence[str], random: Random) -> Fault:
    service = random.choice(SERVICES)
    gunicorn = psutil.Process(production.pids[service])
    worker = random.choice(sorted(gunicorn.children(), key=lambda each: each.pid) or [gunicorn])
    at_s = time.monotonic()
    match random.choice(("promote", "rollback", "kill a worker", "kill gunicorn", "stop a worker")):
        case "kill a worker":
            worker.kill()
            return Fault(at_s, "kill -9 of a worker", service)
        case "kill gunicorn":
            gunicorn.kill()
            return Fault(at_s, "kill -9 of gunicorn", service)
        case "stop a worker":
            worker.suspend()
            threading.Timer(random.uniform(*STOPPED_S), _resume, [worker]).start()
            return Fault(at_s, "SIGSTOP of a worker", service)
        case move:
            return Fault(at_s, _move(production, versions, move, random), "")


def _move(production: Production, versions: Sequence[str], move: str, random: Random) -> str:
    store = production.host.home.store
    if move == "rollback" and store.previous() is not None:
        store.rollback(by="test", why="a soak")
        return "rollback"
    others = [version for version in versions if version != store.current()]
    store.promote(random.choice(others), by="test", why="a soak")
    return "promotion"


def _resume(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        process.resume()


def _revive(production: Production) -> None:
    """What `Restart=always` does."""
    for service, process in list(production.host.processes.items()):
        if process.poll() is not None:
            with suppress(AssertionError):  # it was struck again before it was ready
                production.host.start(service)


def _take_sample(production: Production, soak: Soak) -> None:
    pss_bytes = n_files = 0
    for pid in production.pids.values():
        with suppress(psutil.NoSuchProcess, OSError):
            gunicorn = psutil.Process(pid)
            for each in (gunicorn, *gunicorn.children()):
                pss_bytes += each.memory_full_info().pss
                n_files += each.num_fds()
    soak.samples.append(Sample(time.monotonic(), pss_bytes / MIB, n_files))


@contextmanager
def _writing(production: Production, seed: int) -> Iterator[list[Writer]]:
    """Writers at work; when the block ends, each has its last answer."""
    with sqlite3.connect(f"file:{production.host.home.path}/catalog.db?mode=ro", uri=True) as db:
        book_ids = [row[0] for row in db.execute("SELECT book_id FROM books WHERE hidden IS NULL ORDER BY 1")]
    firsts = range(FIRST_WRITTEN, FIRST_WRITTEN + N_WRITERS * READERS_OF_WRITER, READERS_OF_WRITER)
    writers = [Writer(range(first, first + READERS_OF_WRITER), Random(seed + first)) for first in firsts]
    with ExitStack() as stack:
        for writer in writers:
            client = stack.enter_context(
                httpx.Client(
                    base_url=production.client.base_url, headers=production.client.headers, timeout=PATIENCE_S
                )
            )
            write = _rating(writer, client, book_ids)
            stack.enter_context(_repeating(write, every_s=0.05))
        yield writers


def _rating(writer: Writer, client: httpx.Client, book_ids: Sequence[int]) -> Callable[[], None]:
    return lambda: writer.write(client, book_ids)


@contextmanager
def _repeating(do: Callable[[], None], *, every_s: float) -> Iterator[None]:
    """In a thread, while the block runs."""
    stopping = threading.Event()

    def repeat() -> None:
        while not stopping.wait(every_s):
            do()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
