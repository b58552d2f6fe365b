import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from artifacts.store import ArtifactStore
from contracts.errors import PROBLEM_MEDIA_TYPE, Problem
from servers.shell.holder import VersionHolder
from servers.shell.settings import ServerSettings
from tests.servers.running import serving, settings_for, wait_until
from tests.servers.shell.counting import Gate, counting_server, publish_numbers


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.opened.set()


@pytest.fixture
def settings(tmp_path: Path, store: ArtifactStore) -> ServerSettings:
    publish_numbers(store, [1, 2, 3])
    return settings_for(tmp_path, concurrency=2, worker_threads=1)


def test_requests_over_the_limit_are_refused_while_health_still_answers(
    gate: Gate, settings: ServerSettings
) -> None:
    with serving(counting_server(gate), settings) as client, ThreadPoolExecutor(2) as pool:
        first = pool.submit(client.post, "/add-slowly", json={})
        assert gate.entered.acquire(timeout=10)
        second = pool.submit(client.post, "/add-slowly", json={})
        while client.post("/add", json={}).status_code == 200:
            pass  # until the second request is counted

        refused = client.post("/add", json={})
        health = client.get("/health/ready")
        gate.opened.set()

        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "1"
        assert Problem.model_validate_json(refused.content).code == "overloaded"
        assert health.status_code == 200
        assert [first.result().json()["total"], second.result().json()["total"]] == [6, 6]


def test_work_that_waits_is_dropped_when_its_caller_goes_and_leaves_its_place(
    gate: Gate, settings: ServerSettings
) -> None:
    with serving(counting_server(gate), settings) as client, ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.post, "/add-slowly", json={})
        assert gate.entered.acquire(timeout=10)
        with pytest.raises(httpx.ReadTimeout):
            client.post("/add-slowly", json={}, timeout=0.5)

        wait_until(lambda: client.post("/add", json={}).status_code == 200)
        gate.opened.set()
        first.result()
        client.post("/add-slowly", json={})  # comes after whatever had waited

        assert gate.entered.acquire(timeout=10)
        assert not gate.entered.acquire(blocking=False)


def test_work_that_waited_past_its_deadline_is_not_begun(gate: Gate, settings: ServerSettings) -> None:
    with serving(counting_server(gate), settings) as client, ThreadPoolExecutor(2) as pool:
        running = pool.submit(client.post, "/add-slowly", json={})
        assert gate.entered.acquire(timeout=10)
        queued = pool.submit(client.post, "/add-slowly", json={}, headers={"X-Deadline-Ms": "20"})
        while client.post("/add", json={}).status_code == 200:
            pass  # until the second request is counted, and so its time runs
        time.sleep(0.03)
        gate.opened.set()

        assert running.result().status_code == 200
        assert queued.result().status_code == 503
        assert not gate.entered.acquire(blocking=False)


@pytest.mark.parametrize("path", ["/fail", "/fail-in-thread"])
def test_a_failure_of_ours_says_nothing_of_its_cause_but_the_log_does(
    path: str, gate: Gate, settings: ServerSettings
) -> None:
    with serving(counting_server(gate), settings) as client, capture_logs() as logs:
        response = client.post(path, json={}, headers={"X-Request-ID": "quote-me"})

        assert response.status_code == 500
        assert response.headers["content-type"] == PROBLEM_MEDIA_TYPE
        problem = Problem.model_validate_json(response.content)
        assert (problem.code, problem.request_id) == ("internal", "quote-me")
        assert "secret" not in response.text
        assert client.post("/add", json={}).status_code == 200
    assert any("secret" in line.get("error", "") for line in logs)


def test_a_pointer_that_was_garbage_for_a_while_is_followed_again(
    gate: Gate, settings: ServerSettings, store: ArtifactStore
) -> None:
    with serving(counting_server(gate), settings) as client:
        pointer = store.root / "CURRENT"
        version = pointer.read_bytes()
        pointer.write_bytes(b"\xff\xfe")
        wait_until(lambda: client.get("/info").json()["last_reload_error"])
        time.sleep(0.1)  # five polls
        pointer.write_bytes(version)

        newer = publish_numbers(store, [4])

        wait_until(lambda: client.get("/info").json()["version"] == newer)


def test_an_unforeseen_error_of_the_background_is_counted_and_the_pointer_followed_again(
    gate: Gate, settings: ServerSettings, store: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = threading.Event()
    renew = VersionHolder._renew_lease

    def fail_once(holder: VersionHolder[object]) -> None:
        # Servers that other tests share run in this process too.
        if holder._store.root == store.root and not failed.is_set():
            failed.set()
            raise ZeroDivisionError("unforeseen")
        renew(holder)

    with serving(counting_server(gate), settings) as client, capture_logs() as logs:
        monkeypatch.setattr(VersionHolder, "_renew_lease", fail_once)
        assert failed.wait(10)

        newer = publish_numbers(store, [4])

        wait_until(lambda: client.get("/info").json()["version"] == newer)
        counted = 'bookmesh_background_failures_total{process="als",task="follow pointer"} 1.0'
        wait_until(lambda: counted in client.get("/metrics").text)
    assert [line["task"] for line in logs if line.get("error") == "unforeseen"] == ["follow pointer"]


def test_a_stop_lets_running_requests_end(gate: Gate, settings: ServerSettings) -> None:
    with ThreadPoolExecutor(2) as pool:
        with serving(counting_server(gate), settings) as client:
            port = client.base_url.port
            running = pool.submit(httpx.post, f"http://127.0.0.1:{port}/add-slowly", json={})
            assert gate.entered.acquire(timeout=10)
            pool.submit(lambda: gate.opened.wait(0.3) or gate.opened.set())
        # The block ended, so the server has stopped.

        assert running.result().json()["total"] == 6
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/health/live")


def test_a_large_body_is_answered_like_a_small_one(
    tmp_path: Path, gate: Gate, settings: ServerSettings
) -> None:
    with serving(counting_server(gate), settings) as client:
        response = client.post("/add", content=b"{" + b" " * 100_000 + b"}")

        assert response.json()["total"] == 6
