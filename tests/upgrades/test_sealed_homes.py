"""Homes that earlier releases sealed are served, compared with, rolled back and collected by this one.

`tests/upgrades/seal_home.py` adds an archive with each release; none is ever made anew.
"""

import json
import tarfile
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from artifacts.store import ArtifactStore, utc_now
from catalog.database import open_database
from catalog.editing.books import add_book, change_book, withdraw_book
from pipeline.models.served import open_served
from pipeline.refresh import refresh
from pipeline.settings import TrainSettings
from tests.homes import Home
from tests.meshes import running_mesh, wait_until
from tests.upgrades.answers import EXPECTED, ask, list_differences
from tests.upgrades.seal_home import HOMES, QUICK, TINY_MODELS, serves

RELEASES = sorted(path.name.removesuffix(".tar.xz") for path in HOMES.glob("*.tar.xz"))

SERVED_WITH = {
    release: {"BOOKMESH_SERVING__RATING_STRENGTH": strength}
    for release, strength in {
        "0.1.0": "0",
        "0.2.0": "0",
        "0.3.0": "1",
        "0.4.0": "1",
        "0.5.0": "1",
        "0.6.0": "1",
    }.items()
}
"""How far ratings moved lists then: to two releases books rated 5 or more were all the same."""


@pytest.fixture(scope="module", params=RELEASES)
def unpacked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home as an earlier release left it, its catalog migrated: two versions, the second one current."""
    path = tmp_path_factory.mktemp("unpacked") / request.param
    with tarfile.open(HOMES / f"{request.param}.tar.xz") as archive:
        archive.extractall(path, filter="data")
    home = Home(path, TINY_MODELS)
    home.succeed("migrate")
    return home


@pytest.fixture
def sealed(unpacked: Home, tmp_path: Path) -> Home:
    """A copy of the test's own."""
    return unpacked.copy(tmp_path / unpacked.path.name)


def read_expected(home: Home) -> dict[str, Any]:
    """What the release itself answered, by version and path."""
    expected: dict[str, Any] = json.loads((home.path / EXPECTED).read_text())
    return expected


@pytest.mark.loopback
def test_its_versions_answer_as_they_did_before_and_after_a_rollback(sealed: Home) -> None:
    expected, second = read_expected(sealed), str(sealed.store.current())
    [first] = expected.keys() - {second}

    with running_mesh(sealed, **QUICK, **SERVED_WITH.get(sealed.path.name, {})) as mesh:
        from_second = ask(mesh.client)
        sealed.succeed("versions", "rollback")
        wait_until(lambda: serves(mesh, first))
        from_first = ask(mesh.client)

    assert list_differences(expected[second], from_second) == []
    assert list_differences(expected[first], from_first) == []


def test_its_versions_name_the_release_that_sealed_them(sealed: Home) -> None:
    releases = {manifest.release for manifest in sealed.store.manifests()}

    assert releases == {sealed.path.name}


def test_a_new_version_is_compared_with_its_current_one(sealed: Home) -> None:
    before = sealed.store.versions()

    sealed.run("train")

    [trained] = set(sealed.store.versions()) - set(before)
    [compared] = [
        check for check in sealed.store.manifest(trained).gate.checks if check.name == "recall_over_current"
    ]
    assert compared.value is not None


def test_books_that_came_and_changed_reach_its_current_version_without_a_training(sealed: Home) -> None:
    settings = TrainSettings(home=sealed.path)
    with closing(open_database(settings.catalog_url)) as db:
        with db.session(write=True) as session:
            new = add_book(session, {"title": "The Quokka Concordance", "subjects": ["War"]})
            change_book(session, 1, {"title": "Chrysanthemum", "description": "Of a garden upon chalk."})
            withdraw_book(session, 2)
        refresh(settings, db, sealed.store)
    models = open_served(sealed.store, sealed.store.manifest(str(sealed.store.current())))

    found = [
        models.metadata.search(words, k=1)[0].tolist()
        for words in ("quokka", "chrysanthemum", "is there any great concordance that tells of a quokka")
    ]
    assert found == [[new], [1], [new]]
    assert models.metadata.find_cards([2]) == []


def test_its_older_version_is_collected_and_the_current_one_stays_whole(sealed: Home) -> None:
    current = str(sealed.store.current())
    [older] = set(sealed.store.versions()) - {current}
    digests = {entry.digest for entry in sealed.store.manifest(older).objects}
    needed = {entry.digest for entry in sealed.store.manifest(current).objects}
    store = ArtifactStore(sealed.store.root, now=lambda: utc_now() + timedelta(days=400))

    removed = store.gc(keep=1).removed_versions

    assert removed == (older,)
    assert digests - needed
    assert not any(store.objects.path(digest).exists() for digest in digests - needed)
    assert store.verify(current) == []


@pytest.mark.parametrize("unpacked", [*RELEASES[:2], RELEASES[-1]], indirect=True)
def test_under_another_split_its_current_version_is_fitted_anew_or_must_be_accepted(sealed: Home) -> None:
    before = sealed.store.versions()

    sealed.run("train", BOOKMESH_TRAIN__SPLIT__HELD_OUT_SHARE="0.25")

    [trained] = set(sealed.store.versions()) - set(before)
    checks = {check.name: check for check in sealed.store.manifest(trained).gate.checks}
    if sealed.path.name == "0.1.0":  # its parameters were laid out otherwise
        assert checks["comparable_with_current"].failed
        assert "--accept-incomparable" in checks["comparable_with_current"].detail
    else:
        assert "refitted" in checks["recall_over_current"].detail
