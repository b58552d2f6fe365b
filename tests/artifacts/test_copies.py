"""What a backup takes of a store stays there until it has been taken."""

from datetime import timedelta
from pathlib import Path

from artifacts.copies import read_files
from artifacts.store import ArtifactStore
from tests.artifacts.examples import publish_point, refresh_point
from tests.artifacts.test_collection import Clock


def test_a_collection_meanwhile_removes_nothing_of_what_is_being_read(tmp_path: Path) -> None:
    clock = Clock()
    store = ArtifactStore(tmp_path / "store", now=clock)
    former, current = publish_point(store, 1.0), publish_point(store, 2.0)
    clock.advance(timedelta(hours=2))

    files = read_files(store, "backup")
    read = [next(files)[0]]
    newest = publish_point(store, 3.0)
    store.gc(keep=1)
    read += [name for name, _ in files]

    assert {f"versions/{former}.json", f"versions/{current}.json"} < set(read)
    assert set(store.versions()) == {former, current, newest}
    store.gc(keep=1)
    assert store.versions() == [newest]


def test_of_a_refresh_its_trained_version_and_the_one_before_are_taken(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path / "store")
    publish_point(store, 0.0)
    former, trained = publish_point(store, 1.0), publish_point(store, 2.0)
    refresh = refresh_point(store, trained, 3.0)

    names = {name for name, _ in read_files(store, "backup")}

    versions = {Path(name).stem for name in names if name.startswith("versions/")}
    assert versions == {former, trained, refresh}
