"""Units, sockets, gunicorn and nginx together: whatever is restarted or reloaded, no request is dropped."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psutil
import pytest

from contracts.shell import SERVER_NAMES
from tests.deploy.production import Production
from tests.loopback.load import ListQuery, Load, has_more, steady_load
from tests.loopback.twin import seal_twin
from tests.meshes import port_settings, wait_until

pytestmark = pytest.mark.loopback

PER_SECOND = 25.0
QUERIES = [
    query
    for number in range(1, 6)
    for query in (
        ListQuery(f"/v1/users/{number}/recommendations"),
        ListQuery("/v1/recommendations", json={"subjects": ["War"], "popularity_weight": number / 10}),
        ListQuery("/v1/search", {"q": "war"}, k=number),
    )
]


GATEWAY, ALS = "bookmesh-gateway.service", "bookmesh-server@als.service"
PATIENCE_S = 120


@contextmanager
def loading(production: Production) -> Iterator[Load]:
    """Requests by way of nginx, which wait for as long as a restart takes on a busy machine."""
    with steady_load(production.client, QUERIES, per_second=PER_SECOND, timeout_s=PATIENCE_S) as load:
        wait_until(has_more(load, 10), patience_s=PATIENCE_S)
        yield load


def has_only_new(production: Production, service: str, before: set[int]) -> bool:
    now = production.find_workers(service)
    return len(now) == 2 and not before & now


@pytest.mark.parametrize("service", [GATEWAY, ALS])
def test_a_restart_drops_no_request(production: Production, service: str) -> None:
    with loading(production) as load:
        production.host.restart(service)
        wait_until(production.is_whole, patience_s=PATIENCE_S)
        wait_until(has_more(load, 10), patience_s=PATIENCE_S)

    assert [(each.query.path, each.status, each.body) for each in load.failures] == []
    assert len(load.versions) == 1


@pytest.mark.parametrize("service", [GATEWAY, ALS])
def test_a_reload_drops_no_request_and_degrades_no_list(production: Production, service: str) -> None:
    before = production.find_workers(service)

    with loading(production) as load:
        production.host.reload(service)
        wait_until(lambda: has_only_new(production, service, before), patience_s=PATIENCE_S)
        wait_until(has_more(load, 10), patience_s=PATIENCE_S)

    assert [(each.query.path, each.status, each.body) for each in load.failures] == []
    assert dict(load.degraded) == {}


def test_a_stop_ends_every_process_and_leaves_the_socket(production: Production) -> None:
    service = "bookmesh-server@similarity.service"
    started = production.find_workers(service)

    code = production.host.stop(service)

    assert code == 0
    assert not any(psutil.pid_exists(pid) for pid in started)
    production.host.start(service)
    wait_until(production.is_whole, patience_s=PATIENCE_S)


def test_workers_end_with_a_gunicorn_that_was_killed(production: Production) -> None:
    service = "bookmesh-server@similarity.service"
    orphans = production.find_workers(service)

    process = production.host.processes.pop(service)
    process.kill()
    process.wait()

    wait_until(lambda: not any(psutil.pid_exists(pid) for pid in orphans), patience_s=PATIENCE_S)
    production.host.start(service)
    wait_until(production.is_whole, patience_s=PATIENCE_S)


class TestSeveralWorkers:
    """Whichever worker of a server is asked, it answers for all of them."""

    def test_a_promotion_reaches_every_worker_before_it_is_told(self, production: Production) -> None:
        home, ports = production.host.home, port_settings(production.host.ports)
        first, twin = str(home.store.current()), seal_twin(home.store).version

        with loading(production) as load:
            home.succeed("versions", "promote", twin, **ports)
            told = {ask_info(production, name)["version"] for name in SERVER_NAMES for _ in range(8)}
            wait_until(lambda: get_version(production) == twin, patience_s=PATIENCE_S)
            home.succeed("versions", "rollback", **ports)
            wait_until(lambda: get_version(production) == first, patience_s=PATIENCE_S)

        assert told == {twin}
        assert load.failures == []
        assert set(load.versions) <= {first, twin}

    def test_one_that_comes_new_holds_what_the_other_holds(self, production: Production) -> None:
        held, victim = ask_info(production, "als")["held"], min(production.find_workers(ALS))

        with loading(production) as load:
            os.kill(victim, signal.SIGKILL)
            wait_until(lambda: has_only_new_but_one(production, victim), patience_s=PATIENCE_S)
            told = [ask_info(production, "als")["held"] for _ in range(20)]
            wait_until(has_more(load, 10), patience_s=PATIENCE_S)

        assert all(each == held for each in told)
        assert load.failures == []

    def test_metrics_add_up_and_outlive_a_worker(self, production: Production) -> None:
        first = count_of(production, "als", 'route="/health/ready"')

        for _ in range(20):
            httpx.get(f"http://127.0.0.1:{production.host.ports['als']}/health/ready")
        second = count_of(production, "als", 'route="/health/ready"')
        os.kill(min(production.find_workers(ALS)), signal.SIGKILL)
        wait_until(lambda: len(production.find_workers(ALS)) == 2, patience_s=PATIENCE_S)
        wait_until(production.is_whole, patience_s=PATIENCE_S)

        assert second - first == 20
        assert count_of(production, "als", 'route="/health/ready"') >= second
        assert sum_of(production, "als", "bookmesh_held_versions{") < 4

    def test_both_answer(self, production: Production) -> None:
        wait_until(
            lambda: {ask_info(production, "als")["pid"] for _ in range(20)} == production.find_workers(ALS),
            patience_s=PATIENCE_S,
        )


def ask_info(production: Production, name: str) -> dict[str, object]:
    """By a connection of its own, so that any worker may take it."""
    info: dict[str, object] = httpx.get(f"http://127.0.0.1:{production.host.ports[name]}/info").json()
    return info


def count_of(production: Production, name: str, label: str) -> float:
    return sum_of(production, name, "bookmesh_requests_total{", label)


def sum_of(production: Production, name: str, metric: str, label: str = "") -> float:
    """Of all series of a metric that have a label, whichever worker is asked."""
    text = httpx.get(f"http://127.0.0.1:{production.host.ports[name]}/metrics").text
    lines = [line for line in text.splitlines() if line.startswith(metric) and label in line]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def get_version(production: Production) -> object:
    return production.client.get("/v1/version").json()["version"]


def has_only_new_but_one(production: Production, victim: int) -> bool:
    now = production.find_workers(ALS)
    return len(now) == 2 and victim not in now


def test_the_address_of_a_client_comes_through_the_unix_socket(production: Production) -> None:
    """nginx says who it was; nobody else can reach that socket, and what a client claims is not believed."""
    log = production.host.folder / "nginx" / "log" / "access.log"

    production.client.get("/v1/health", headers={"X-Forwarded-For": "203.0.113.9"})

    assert re.findall(r'"client":"([^"]*)"', log.read_text().splitlines()[-1]) == ["127.0.0.1"]
