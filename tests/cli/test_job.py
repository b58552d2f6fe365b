"""What the worker's jobs do to the versions and the catalog of a home, and what they say of it."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from artifacts.store import ArtifactStore
from catalog import jobs
from catalog.database import open_database
from catalog.jobs import JobKind, StoredJob
from catalog.tables import JobState
from cli import job as job_module
from tests.empty_catalogs import open_empty_catalog
from tests.servers import tiny

Do = Callable[..., tuple[str, int]]


@pytest.fixture
def home(tmp_path: Path, environment: pytest.MonkeyPatch) -> Path:
    environment.setenv("BOOKMESH_HOME", str(tmp_path))
    open_empty_catalog(tmp_path / "catalog.db").close()
    return tmp_path


@pytest.fixture
def store(home: Path) -> ArtifactStore:
    return ArtifactStore(home / "artifacts")


@pytest.fixture
def do(home: Path, monkeypatch: pytest.MonkeyPatch) -> Do:
    """Does a job of this kind and these params."""
    monkeypatch.setattr(job_module.signal, "signal", lambda *_: None)  # pytest keeps its own

    def run(kind: JobKind, **params: Any) -> tuple[str, int]:
        times: dict[str, Any] = {"due_at": 0.0, "queued_at": 0.0, "started_at": 0.0, "finished_at": None}
        return job_module.do(StoredJob(7, kind, JobState.RUNNING, params, **times, attempts=1, outcome=None))

    return run


def publish(store: ArtifactStore, home: Path, n: int) -> list[str]:
    return [tiny.publish(store, home) for _ in range(n)]


def write_source(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "ratings.csv").write_text("user_id,item_id,rating\n1,a,9\n2,b,7\n")
    (folder / "items.csv").write_text("item_id,title\na,Emma\nb,Ulysses\n")


def test_a_version_is_promoted_in_the_name_of_its_job(do: Do, store: ArtifactStore, home: Path) -> None:
    first, second = publish(store, home, 2)

    done = do(JobKind.PROMOTE, version=first, force=False)

    assert done == (f"{first} is current", 0)
    assert store.current() == first != second
    assert store.promotions()[-1].by == "job 7"


def test_a_version_that_is_not_there_is_not_promoted(do: Do, store: ArtifactStore, home: Path) -> None:
    [only] = publish(store, home, 1)

    sentence, code = do(JobKind.PROMOTE, version="20200101T000000Z-000000", force=False)

    assert ("20200101T000000Z-000000" in sentence, code, store.current()) == (True, 1, only)


def test_a_rollback_that_is_done_twice_leads_back_once(do: Do, store: ArtifactStore, home: Path) -> None:
    first, second, third = publish(store, home, 3)

    done = [do(JobKind.ROLLBACK, from_version=third) for _ in range(2)]

    assert done[0] == (f"{second} is current", 0)
    assert done[1] == (f"{second} is current, no longer {third}: nothing was rolled back", 0)
    assert store.current() == second != first


def test_a_folder_of_the_imports_is_imported(do: Do, home: Path) -> None:
    write_source(home / "imports" / "shop")

    sentence, code = do(JobKind.IMPORT, source="csv", folder="shop", name="shop")

    assert (code, "books 2 new, 0 changed" in sentence) == (0, True)
    with closing(open_database(f"sqlite:///{home / 'catalog.db'}")) as db, db.session() as session:
        assert [job.kind for job in jobs.list_jobs(session, limit=9)] == [JobKind.REFRESH]


@pytest.mark.parametrize("folder", ["../outside", "link", "/etc", "shop/../../outside"])
def test_nothing_outside_of_that_folder_is_read(do: Do, home: Path, folder: str) -> None:
    write_source(home / "outside")
    write_source(home / "imports" / "shop")
    (home / "imports" / "link").symlink_to(home / "outside")

    sentence, code = do(JobKind.IMPORT, source="csv", folder=folder)

    assert (code, "lies outside of" in sentence) == (1, True)


def test_a_file_that_is_a_link_to_elsewhere_is_not_read(do: Do, home: Path) -> None:
    write_source(home / "outside")
    folder = home / "imports" / "shop"
    folder.mkdir(parents=True)
    for name in ("ratings.csv", "items.csv"):
        (folder / name).symlink_to(home / "outside" / name)

    sentence, code = do(JobKind.IMPORT, source="csv", folder="shop")

    assert (code, "lies outside of" in sentence) == (1, True)


def test_a_mapping_names_no_file_outside_of_its_folder(do: Do, home: Path) -> None:
    write_source(home / "outside")
    write_source(home / "imports" / "shop")
    mapping = 'name = "shop"\n[ratings]\nfile = "../../outside/ratings.csv"\n'
    (home / "imports" / "mapping.toml").write_text(mapping)

    sentence, code = do(JobKind.IMPORT, source="csv", folder="shop", mapping="mapping.toml")

    assert (code, "expected the name of a file in the folder" in sentence) == (1, True)


def test_a_folder_that_is_not_there_is_named(do: Do, home: Path) -> None:
    sentence, code = do(JobKind.IMPORT, source="goodbooks", folder="nothing")

    assert (code, str(home / "imports" / "nothing") in sentence) == (1, True)
