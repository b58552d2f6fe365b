"""`bookmesh worker` as a process: what becomes of its job when it is told to end, or is killed."""

import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import httpx
import psutil
import pytest

from catalog.database import Database, open_database
from catalog.editing.books import add_book
from catalog.jobs import JobKind, enqueue, list_jobs
from catalog.tables import JobState
from contracts.shell import INFO_PATH, METRICS_PATH, READY_PATH
from tests.catalog.test_jobs import lose
from tests.homes import PATIENCE_S, Home
from tests.meshes import Mesh, running_mesh, wait_until
from tests.services import free_port

pytestmark = pytest.mark.loopback


@pytest.fixture
def home(copied_home: Home) -> Home:
    """One whose worker has an address and nothing to do."""
    settings = {"BOOKMESH_WORKER__PORT": str(free_port()), "BOOKMESH_WORKER__TRAINS": "false"}
    return replace(copied_home, settings=settings)


@pytest.fixture
def db(home: Home) -> Iterator[Database]:
    with closing(open_database(f"sqlite:///{home.path / 'catalog.db'}")) as database:
        yield database


def url(home: Home, path: str) -> str:
    return f"http://127.0.0.1:{home.settings['BOOKMESH_WORKER__PORT']}{path}"


def is_ready(home: Home) -> bool:
    try:
        return httpx.get(url(home, READY_PATH)).is_success
    except httpx.TransportError:
        return False


@contextmanager
def working(home: Home) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of this home that looks for jobs; killed at the end, if it still runs."""
    with (home.path / "worker.out").open("ab") as log:
        process = subprocess.Popen(
            home.command("worker"), cwd=home.checkout, env=home.environment(), stdout=log, stderr=log
        )
    try:
        wait_until(lambda: is_ready(home), patience_s=PATIENCE_S)
        yield process
    finally:
        process.kill()
        process.wait(PATIENCE_S)


def read_state(db: Database) -> tuple[JobState, int]:
    """The state of the newest job, and how often it was begun."""
    with db.session() as session:
        [job] = list_jobs(session, limit=1)
    return job.state, job.attempts


def find_training(worker: subprocess.Popen[bytes]) -> psutil.Process:
    """The process of the job that runs, once it trains."""
    [forker] = psutil.Process(worker.pid).children()
    wait_until(forker.children)
    [job] = forker.children()
    return job


def test_a_killed_worker_takes_its_training_along_and_the_next_one_begins_it_again(
    home: Home, db: Database
) -> None:
    with db.session(write=True) as session:
        enqueue(session, JobKind.TRAIN)
    with working(home) as first:
        training = find_training(first)
        wait_until((home.path / "train.lock").exists)
        first.kill()
        wait_until(lambda: not training.is_running())
        killed = read_state(db)
        lose(db)  # instead of waiting
    with working(home) as second:
        wait_until(lambda: read_state(db) == (JobState.RUNNING, 2), patience_s=PATIENCE_S)
        training = find_training(second)
        doing = httpx.get(url(home, INFO_PATH)).json()["doing"]

        second.terminate()
        code = second.wait(PATIENCE_S)

    assert killed == (JobState.RUNNING, 1)
    assert doing.startswith("train ")
    assert code == 0
    assert not training.is_running()
    assert read_state(db) == (JobState.QUEUED, 1)
    assert "Traceback" not in (home.path / "worker.out").read_text()


def test_a_home_has_one_worker_which_tells_what_it_does_and_did(home: Home, db: Database) -> None:
    with working(home) as first:
        with db.session(write=True) as session:
            enqueue(session, JobKind.REFRESH)
        message = home.fail("worker", BOOKMESH_WORKER__PORT=str(free_port()))
        done = 'bookmesh_jobs_total{kind="refresh",outcome="done",process="worker"} 1.0'
        wait_until(lambda: done in httpx.get(url(home, METRICS_PATH)).text, patience_s=PATIENCE_S)
        info = httpx.get(url(home, INFO_PATH)).json()

        assert f"process {first.pid} is the worker of this home already" in message
        assert read_state(db)[0] is JobState.DONE
        assert (info["process"], info["doing"], info["trouble"]) == ("worker", "idle", None)


def test_new_books_are_found_without_anybody_asking_for_it_and_by_one_refresh(copied_home: Home) -> None:
    url = f"sqlite:///{copied_home.path / 'catalog.db'}"
    titles = ["The Quiet Lighthouse", "The Loud Lighthouse", "The Last Lighthouse"]
    with running_mesh(copied_home) as mesh, closing(open_database(url)) as db:
        for title in titles:
            with db.session(write=True) as session:
                add_book(session, {"title": title, "authors": ["Ann Ash"]})

        wait_until(lambda: {*titles} <= find_titles(mesh, "lighthouse ash"))

        wait_until(lambda: read_state(db)[0] is JobState.DONE)
        with db.session() as session:
            [last] = list_jobs(session, limit=1)
    assert last.outcome is not None
    assert last.outcome.startswith(str(copied_home.store.current()))
    assert "books: 3 new, 0 changed, 0 no longer shown" in last.outcome


def find_titles(mesh: Mesh, query: str) -> set[str]:
    return {item["title"] for item in mesh.get("/v1/search", q=query)["items"]}
