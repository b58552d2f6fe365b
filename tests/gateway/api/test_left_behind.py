"""What a gateway answers from stays in every server, within bounds, whoever restarts or lags behind."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from artifacts.pointer import Promotion, move_pointer
from artifacts.store import ArtifactStore, utc_now
from contracts.shell import SERVER_NAMES, ServerName
from servers.shell.held import MOST_HELD
from tests.gateway import running
from tests.servers import running as servers
from tests.servers import tiny
from tests.servers.running import wait_until
from tests.services import free_port

STUCK: ServerName = "metadata"


@dataclass
class Mesh:
    """Five servers in this process, each to be stopped and started again at its address."""

    home: Path
    keep_previous_s: float = 60.0
    ports: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in SERVER_NAMES})
    running: dict[str, ExitStack] = field(default_factory=dict)

    @property
    def store(self) -> ArtifactStore:
        return ArtifactStore(self.home / "artifacts")

    @property
    def urls(self) -> dict[str, str]:
        return {name: f"http://127.0.0.1:{port}" for name, port in self.ports.items()}

    def start(self, name: ServerName, *, ready: bool = True) -> None:
        settings = servers.settings_for(
            self.home,
            ports=self.ports,
            keep_previous_s=self.keep_previous_s,
            load_retry_s=0.2,
            pointer_poll_s=0.1,
        )
        self.running[name] = ExitStack()
        self.running[name].enter_context(servers.serving(name, settings, ready=ready))

    def stop(self, name: str) -> None:
        self.running.pop(name).close()

    def held(self) -> dict[str, list[str]]:
        return {name: httpx.get(f"{self.urls[name]}/info").json()["held"] for name in self.running}

    def leave_behind(self, seed: int = 2) -> str:
        """Point at a version that one server cannot load, past every check."""
        first = str(self.store.current())
        version = tiny.publish(self.store, self.home, seed=seed, promote=False)
        tiny.damage(self.store, version, STUCK, not_in=first)
        move = Promotion(
            at=utc_now(), action="promote", from_version=first, to_version=version, by="tests", why="a test"
        )
        move_pointer(self.store.root, move)
        wait_until(lambda: all(held[0] == version for name, held in self.held().items() if name != STUCK))
        return version


@dataclass
class Answers:
    """What a gateway answers, each made anew by four servers: its version, and whose loss changed it."""

    client: httpx.Client

    def fetch(self) -> tuple[str, list[str]]:
        response = self.client.post("/v1/recommendations", json={"subjects": ["Soup"], "k": 12})
        assert response.status_code == 200
        return response.json()["version"], response.json()["degraded"]


@contextmanager
def gateway(mesh: Mesh, home: Path, **urls: str) -> Iterator[Answers]:
    tiny_caches = {"response_bytes": 1, "cards": 1}
    with running.gateway(running.settings_for(home, {**mesh.urls, **urls}, cache=tiny_caches)) as client:
        yield Answers(client)


@contextmanager
def serving(mesh: Mesh) -> Iterator[Mesh]:
    tiny.publish(mesh.store, mesh.home)
    for name in SERVER_NAMES:
        mesh.start(name)
    try:
        yield mesh
    finally:
        for name in list(mesh.running):
            mesh.stop(name)


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[Mesh]:
    with serving(Mesh(tmp_path / "mesh")) as mesh:
        yield mesh


@pytest.fixture
def forgetful_mesh(tmp_path: Path) -> Iterator[Mesh]:
    """Servers that soon let go what nobody names."""
    with serving(Mesh(tmp_path / "mesh", keep_previous_s=1.0)) as mesh:
        yield mesh


def test_a_gateway_that_is_restarted_pins_what_all_hold(mesh: Mesh, home: Path) -> None:
    first = str(mesh.store.current())
    with gateway(mesh, home) as answers:
        mesh.leave_behind()
        before = answers.fetch()

    with gateway(mesh, home) as answers:
        after = answers.fetch()

    assert before == after == (first, [])


def test_the_one_left_behind_comes_back_with_what_the_others_stay_with(mesh: Mesh, home: Path) -> None:
    first = str(mesh.store.current())
    with gateway(mesh, home) as answers:
        second = mesh.leave_behind()
        mesh.stop(STUCK)
        wait_until(lambda: answers.fetch() == (second, [STUCK]))

        mesh.start(STUCK)

        wait_until(lambda: answers.fetch() == (first, []))
        assert mesh.held()[STUCK] == [first]


def test_two_gateways_that_answer_from_two_versions_both_keep_theirs(
    forgetful_mesh: Mesh, home: Path
) -> None:
    mesh = forgetful_mesh
    first = str(mesh.store.current())
    with gateway(mesh, home) as one, gateway(mesh, home, **{STUCK: running.NOWHERE}) as other:
        second = mesh.leave_behind()
        time.sleep(2 * mesh.keep_previous_s)

        wait_until(lambda: one.fetch() == (first, []))
        wait_until(lambda: other.fetch() == (second, [STUCK]))
        assert mesh.held()["als"] == [second, first]


def test_through_promotions_no_server_holds_more_than_its_bound_and_the_pinned_version_stays(
    forgetful_mesh: Mesh, home: Path
) -> None:
    mesh = forgetful_mesh
    first = str(mesh.store.current())
    most = 0
    with gateway(mesh, home) as answers:
        for seed in range(2, 5):
            mesh.leave_behind(seed)
            most = max(most, *(len(held) for held in mesh.held().values()))
            assert answers.fetch() == (first, [])

        good = tiny.publish(mesh.store, mesh.home, seed=9)

        wait_until(lambda: answers.fetch() == (good, []))
        wait_until(lambda: all(held == [good] for held in mesh.held().values()))
    assert 2 <= most <= MOST_HELD
