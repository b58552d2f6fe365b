"""What the worker answers, and what it does about a database that is away or that hangs."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event

import httpx
import pytest
from prometheus_client import CollectorRegistry

from catalog.database import Database
from contracts.shell import LIVE_PATH, READY_PATH
from notifications.notifier import Notifier
from notifications.settings import NotifySettings
from worker import app
from worker.app import Probes, create_app
from worker.forker import Forker
from worker.metrics import WorkerMetrics
from worker.settings import WorkerSettings
from worker.worker import Worker


@pytest.fixture
def forker() -> Iterator[Forker]:
    """One that has nothing to do."""
    with closing(Forker(lambda job: ("", 0))) as idle:
        yield idle


def build(settings: WorkerSettings, db: Database, forker: Forker) -> tuple[Worker, WorkerMetrics]:
    metrics = WorkerMetrics(CollectorRegistry())
    return Worker(
        settings, db, metrics, forker, Notifier(NotifySettings(home=settings.home)), can_train=False
    ), metrics


async def test_a_worker_is_ready_while_the_catalog_is_there(
    settings: WorkerSettings, db: Database, forker: Forker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "POLL_S", 0.01)
    running = create_app(*build(settings, db, forker))
    transport = httpx.ASGITransport(running)
    catalog = tmp_path / "catalog.db"
    async with (
        running.router.lifespan_context(running),
        httpx.AsyncClient(transport=transport, base_url="http://worker") as client,
    ):
        before = await wait_for(client, READY_PATH, 200)
        aside = catalog.rename(tmp_path / "aside.db")
        meanwhile = await wait_for(client, READY_PATH, 503)
        live = await client.get(LIVE_PATH)
        aside.rename(catalog)
        after = await wait_for(client, READY_PATH, 200)
        lost = await client.get("/nowhere")

    assert before == after == {**before, "process": "worker", "doing": "idle", "trouble": None}
    assert meanwhile["trouble"] is not None
    assert "is gone" in str(meanwhile["trouble"])
    assert live.status_code == 200
    assert lost.json()["code"] == "not_found"


async def wait_for(client: httpx.AsyncClient, path: str, status: int) -> dict[str, object]:
    """The body of the first answer of this status."""
    for _ in range(1000):
        response = await client.get(path)
        if response.status_code == status:
            break
        await asyncio.sleep(0.02)
    assert response.status_code == status
    body: dict[str, object] = response.json()
    return body


async def test_a_worker_that_hangs_in_a_turn_ends_its_process(
    settings: WorkerSettings, db: Database, forker: Forker, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, metrics = build(settings, db, forker)
    hanging, codes = Event(), []
    monkeypatch.setattr(worker, "turn", lambda: hanging.wait(20))
    monkeypatch.setattr(app, "STUCK_S", 0.05)
    monkeypatch.setattr("os._exit", codes.append)

    await Probes(worker, metrics).turn()

    hanging.set()
    assert codes == [app.BROKEN_CODE]


async def test_a_worker_that_cannot_begin_jobs_any_more_ends_its_process(
    settings: WorkerSettings, db: Database, forker: Forker, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, metrics = build(settings, db, forker)
    codes: list[int] = []
    monkeypatch.setattr("os._exit", codes.append)
    forker.close()

    await Probes(worker, metrics).turn()

    assert codes == [app.BROKEN_CODE]
