"""A mesh that readers use day and night, and what happens to it in each of the nights."""

import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import httpx
from prometheus_client.parser import text_string_to_metric_families

from artifacts.manifest import Manifest
from tests.homes import PATIENCE_S, ROOT, Home
from tests.loopback.load import ListQuery, Load, has_more
from tests.meshes import Mesh, wait_until, with_key
from tests.notifications.hooks import Receiver

PER_SECOND: Final = 10.0
OF_NOBODY: Final = [
    query
    for number in range(1, 7)
    for query in (
        ListQuery("/v1/recommendations", json={"subjects": ["War"], "popularity_weight": number / 10}),
        ListQuery(f"/v1/books/{number}/similar"),
        ListQuery("/v1/search/semantic", {"q": f"a war of {number} kings"}),
        ListQuery("/v1/books/popular", k=10 + number),
    )
]
"""Whatever readers do, one version answers these in one way: another answer is of two versions."""
OF_READERS: Final = [ListQuery(f"/v1/users/{number}/recommendations") for number in range(1, 13)]
FEW_READERS: Final = {"BOOKMESH_TRAIN__GATE__MAX_LOSS": "0.05"}
"""So few are measured that chance alone moves recall by this."""
HELD_BACK: Final = 0.35
"""Of the demo's ratings, those that readers give in the course of the week."""

COLUMNS: Final = (
    "night", "what happened", "what came of it", "served then", "recall@30",
    "requests", "failed", "degraded", "repeated", "p99 within", "operators were told",
)  # fmt: skip

Ratings = list[tuple[int, int, float]]
"""Reader, book, rating."""


@dataclass
class Night:
    """What is told of one night."""

    name: str
    what: str
    outcome: str
    version: str
    recall: float | None
    n_requests: int
    n_failed: int
    n_degraded: int
    n_repeated: int
    """Requests begun anew, since a server had gone on to the next version."""
    p99_ms: float
    told: list[str]


@dataclass
class Week:
    """The mesh, who uses it, and who is told; a timer that fires when the test says so."""

    mesh: Mesh
    load: Load
    hook: Receiver
    coming: Ratings
    """What readers will rate."""
    nights: list[Night] = field(default_factory=list)
    n_seen: int = 0
    n_told: int = 0
    measured: dict[str, dict[float, float]] = field(default_factory=dict)
    """The gateway's metrics when the night before was written down."""

    @property
    def home(self) -> Home:
        return self.mesh.home

    @property
    def current(self) -> str:
        return str(self.home.store.current())

    def day(self, n_ratings: int = 600) -> None:
        """Readers rate what they have read, through the gateway."""
        rated, self.coming = self.coming[:n_ratings], self.coming[n_ratings:]
        self.rate(rated)

    def rate(self, ratings: Ratings) -> None:
        def put(rating: tuple[int, int, float]) -> None:
            user_id, book_id, value = rating
            answer = client.put(f"/v1/users/{user_id}/ratings/{book_id}", json={"rating": value})
            assert answer.status_code in (200, 201), answer.text

        url, auth = self.mesh.url("gateway"), with_key(self.home.path)
        with httpx.Client(base_url=url, timeout=30, auth=auth) as client, ThreadPoolExecutor(4) as pool:
            list(pool.map(put, ratings))

    def fire_timer(self, **settings: str) -> subprocess.CompletedProcess[str]:
        """What the timer's service runs, once it is night: the first full minute after the newest version."""
        return self.home.run("train", "--if-due", **FEW_READERS, **self.at_night(), **settings)

    def at_night(self) -> dict[str, str]:
        newest = max(manifest.created_at for manifest in self.trained())
        while (now := datetime.now().astimezone()).replace(second=0, microsecond=0) <= newest:
            time.sleep(1)
        return {"BOOKMESH_WORKER__NIGHT_AT": f"{now:%H:%M}"}

    def trained(self) -> list[Manifest]:
        return [manifest for manifest in self.home.store.manifests() if manifest.refresh_of is None]

    @contextmanager
    def begun(self, **settings: str) -> Iterator["Begun"]:
        """The same, as a process that can be killed."""
        log = self.home.path / "timer.out"
        environment = {**self.home.environment(), **FEW_READERS, **self.at_night(), **settings}
        with log.open("wb") as output:
            process = subprocess.Popen(
                self.home.command("train", "--if-due"),
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            yield Begun(process, log)
        finally:
            process.kill()
            process.wait(PATIENCE_S)

    def settle(self) -> None:
        """Wait until readers are answered from the current version."""
        wait_until(lambda: self.mesh.get("/v1/version")["version"] == self.current, patience_s=120)
        wait_until(has_more(self.load, 20), patience_s=120)

    def note(self, name: str, what: str, outcome: str) -> None:
        """Write a night down, with what was measured and told since the one before."""
        self.settle()
        outcomes, self.n_seen = self.load.outcomes[self.n_seen :], len(self.load.outcomes)
        told, self.n_told = self.hook.posts[self.n_told :], len(self.hook.posts)
        manifest = self.home.store.manifest(self.current)
        seconds = self.measure("bookmesh_request_seconds")
        repeated = self.measure("bookmesh_version_retries")
        self.nights.append(
            Night(
                name=name,
                what=what,
                outcome=outcome,
                version=self.current,
                recall=read_recall(manifest),
                n_requests=len(outcomes),
                n_failed=sum(outcome.status != 200 for outcome in outcomes),
                n_degraded=sum(bool(outcome.body.get("degraded")) for outcome in outcomes),
                n_repeated=int(sum(repeated.values())),
                p99_ms=1000 * quantile(0.99, seconds),
                told=[subject_of(body) for _, body in told],
            )
        )

    def measure(self, name: str) -> dict[float, float]:
        """By how much a metric of the gateway has grown since the last look; a histogram by bucket."""
        values = read_metric(self.mesh, name)
        before, self.measured[name] = self.measured.get(name, {}), values
        return {bound: value - before.get(bound, 0.0) for bound, value in values.items()}


@dataclass(frozen=True)
class Begun:
    """A training that runs."""

    process: subprocess.Popen[bytes]
    log: Any

    def reads(self, line: str) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return line in self.log.read_text()

    def crash(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE_S)


def hold_back(home: Home, *, seed: int) -> Ratings:
    """Take some of the ratings out of an imported catalog, for readers to give later."""
    chance = random.Random(seed)
    with closing(sqlite3.connect(home.path / "catalog.db")) as connection:
        query = (
            "SELECT user_id, book_id, rating FROM ratings WHERE rating IS NOT NULL ORDER BY user_id, book_id"
        )
        rows = [row for row in connection.execute(query) if chance.random() < HELD_BACK]
        connection.executemany(
            "DELETE FROM ratings WHERE user_id = ? AND book_id = ?", [row[:2] for row in rows]
        )
        connection.commit()
    chance.shuffle(rows)
    return rows


def make_noise(mesh: Mesh, *, each: int, seed: int) -> Ratings:
    """What a broken client sends: of every reader ratings of books that have nothing to do with them."""
    chance = random.Random(seed)
    with closing(sqlite3.connect(mesh.home.path / "catalog.db")) as connection:
        users = [row[0] for row in connection.execute("SELECT user_id FROM users ORDER BY user_id")]
        books = [row[0] for row in connection.execute("SELECT book_id FROM books ORDER BY book_id")]
    return [(user, book, chance.randint(1, 10)) for user in users for book in chance.sample(books, each)]


def find_mixed(load: Load) -> list[Any]:
    """Whole answers that differ from the first of the same version."""
    first: dict[tuple[str, ListQuery], Any] = {}
    mixed = []
    for outcome in load.outcomes:
        if outcome.query in OF_NOBODY and outcome.status == 200 and not outcome.body.get("degraded"):
            key = str(outcome.body["version"]), outcome.query
            # The list's name tells the state of the catalog too, which ratings that are restored change.
            body = {name: value for name, value in outcome.body.items() if name != "list_id"}
            if first.setdefault(key, body) != body:
                mixed.append((key, first[key], body))
    return mixed


def read_metric(mesh: Mesh, name: str) -> dict[float, float]:
    """A metric of the gateway, all labels added up: a counter at 0, a histogram's buckets at their bounds."""
    found: dict[float, float] = {}
    for family in text_string_to_metric_families(httpx.get(f"{mesh.url('gateway')}/metrics").text):
        for sample in family.samples if family.name == name else ():
            if sample.name.endswith(("_bucket", "_total")):
                bound = float(sample.labels.get("le", 0.0))
                found[bound] = found.get(bound, 0.0) + sample.value
    return found


def quantile(share: float, buckets: Mapping[float, float]) -> float:
    """The bound that this share of the requests was within."""
    wanted = share * max(buckets.values(), default=0.0)
    return min((bound for bound, n in buckets.items() if n >= wanted), default=float("nan"))


def read_recall(manifest: Manifest) -> float | None:
    recall = manifest.metrics.get("recall@30")
    return float(recall["mean"]) if isinstance(recall, dict) else None  # type: ignore[arg-type]


def subject_of(body: bytes) -> str:
    return str(httpx.Response(200, content=body).json()["subject"])


def write_report(week: Week, *, seconds: float) -> Iterable[str]:
    """The week as a table."""
    yield "# The last week that was played"
    yield ""
    yield (
        f"Written by `make test-long` on {datetime.now().astimezone():%Y-%m-%d}: eight nights within "
        f"{seconds / 60:.0f} minutes on the demo's catalog, with {PER_SECOND:g} requests a second."
    )
    yield ""
    yield f"| {' | '.join(COLUMNS)} |"
    yield "|---" * len(COLUMNS) + "|"
    for night in week.nights:
        recall = "–" if night.recall is None else f"{night.recall:.3f}"
        cells = [
            night.name, night.what, night.outcome, night.version, recall, f"{night.n_requests:,}",
            f"{night.n_failed}", f"{night.n_degraded}", f"{night.n_repeated}", f"{night.p99_ms:.0f} ms",
            "; ".join(night.told) or "–",
        ]  # fmt: skip
        yield f"| {' | '.join(cells)} |"
    n_all, n_failed = len(week.load.outcomes), len(week.load.failures)
    yield ""
    yield (
        f"{n_all:,} requests, {n_failed} failed, {len(find_mixed(week.load))} answers of two versions, "
        f"{len(set(week.load.versions))} versions served one after the other."
    )
