"""What a store promises: versions are whole, damage is refused by name, the pointer moves by rule."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifacts.errors import (
    ArtifactCorrupt,
    ArtifactError,
    ArtifactMissing,
    GateRefused,
    NothingToRollBackTo,
    SealedByAnotherRelease,
    UnsupportedValue,
    VersionUnknown,
)
from artifacts.manifest import GateCheck, GateVerdict
from artifacts.store import ArtifactStore
from tests.artifacts.examples import (
    REFUSED,
    Encoder,
    Model,
    Point,
    build_model,
    publish_point,
    refresh_point,
    seal,
    seal_draft,
    seal_point,
)


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "store")


def overwrite(path: Path, content: bytes) -> None:
    """Damage an object in place, as a failing disk would."""
    path.chmod(0o644)
    path.write_bytes(content)


def test_an_empty_store_has_no_version_and_is_not_created_by_looking(store: ArtifactStore) -> None:
    assert (store.current(), store.manifests()) == (None, [])
    assert not store.root.exists()


def test_a_sealed_version_is_not_current_until_it_is_promoted(store: ArtifactStore) -> None:
    manifest = seal_point(store, 1.0)
    assert store.current() is None

    store.promote(manifest.version, by="ann", why="first")

    assert store.current() == manifest.version
    [promotion] = store.promotions()
    assert (promotion.by, promotion.why, promotion.from_version) == ("ann", "first", None)


def test_a_manifest_reads_back_as_it_was_sealed(store: ArtifactStore) -> None:
    manifest = seal_point(store, 1.0, gate=REFUSED)

    assert store.manifest(manifest.version) == manifest
    assert manifest.version.startswith(f"{manifest.created_at:%Y%m%dT%H%M%SZ}-")
    [entry] = manifest.objects
    assert (entry.name, entry.owner, entry.format, entry.dtype, entry.shape) == (
        "als/at", "als", "npy", "float32", (1,),
    )  # fmt: skip


def test_manifests_are_listed_newest_first(store: ArtifactStore) -> None:
    sealed = [seal_point(store, float(x)) for x in range(4)]

    assert store.manifests() == sealed[::-1]


def test_content_that_is_held_already_is_not_written_again(store: ArtifactStore) -> None:
    [entry] = seal_point(store, 1.0).objects
    before = store.objects.path(entry.digest).stat()

    [same] = seal_point(store, 1.0).objects

    after = store.objects.path(same.digest).stat()
    assert (after.st_ino, after.st_size) == (before.st_ino, before.st_size)
    assert len(list((store.root / "objects").iterdir())) == 1


def test_a_damaged_object_is_repaired_by_publishing_it_again(store: ArtifactStore) -> None:
    manifest = seal_point(store, 1.0)
    overwrite(store.objects.path(manifest.objects[0].digest), b"rotten")
    assert store.verify(manifest.version) != []

    seal_point(store, 1.0)

    assert store.verify(manifest.version) == []


def test_loading_again_reuses_every_value_whose_digest_stayed(store: ArtifactStore, tmp_path: Path) -> None:
    old = build_model(tmp_path / "texts", 1)
    new = Model(**{**vars(old), "factors": old.factors + 1})
    first = store.load(seal(store, old), "als", Model)

    second = store.load(seal(store, new), "als", Model, reuse=first)

    assert second.record.factors is not first.record.factors
    assert second.record.cards is first.record.cards
    assert second.record.index is first.record.index
    assert second.record.texts is first.record.texts
    assert np.shares_memory(second.record.neighbours.data, first.record.neighbours.data)
    assert len(second.values.keys() - first.values.keys()) == 1


def test_an_owner_sees_only_its_own_objects(store: ArtifactStore) -> None:
    manifest = seal(store, Point(np.ones(1, dtype=np.float32)), owner="als")

    with pytest.raises(SealedByAnotherRelease, match="metadata/at"):
        store.load(manifest, "metadata", Point)


def test_what_this_release_cannot_read_says_which_one_can(store: ArtifactStore) -> None:
    manifest = seal_point(store, 1.0)

    with pytest.raises(SealedByAnotherRelease) as caught:
        store.load(manifest, "als", Encoder)

    assert (caught.value.name, caught.value.release) == ("als/terms", "0.1.0")
    assert f"als/terms is not in {manifest.version}, which bookmesh 0.1.0 sealed" in str(caught.value)


def test_an_object_that_was_lost_is_missing_whatever_release_sealed_it(store: ArtifactStore) -> None:
    manifest = seal_point(store, 1.0)
    store.objects.path(manifest.objects[0].digest).unlink()

    with pytest.raises(ArtifactMissing, match="als/at is missing"):
        store.load(manifest, "als", Point)


def test_one_owner_adds_one_record(store: ArtifactStore) -> None:
    draft = store.draft()
    draft.add("als", Point(np.ones(1, dtype=np.float32)))

    with pytest.raises(UnsupportedValue, match="als"):
        draft.add("als", Point(np.ones(1, dtype=np.float32)))


def test_parameters_that_json_cannot_hold_are_refused(store: ArtifactStore) -> None:
    with pytest.raises(UnsupportedValue, match=r"metrics\['recall@30'\].* no nan"):
        store.draft().seal(
            split_id="", data_fingerprint="", code_revision="", params={}, seed=0,
            metrics={"recall@30": float("nan")}, gate=REFUSED,
        )  # fmt: skip

    assert store.manifests() == []


def test_a_verdict_that_json_cannot_hold_is_refused(store: ArtifactStore) -> None:
    verdict = GateVerdict(
        passed=True, checks=(GateCheck(name="recall@30", value=float("inf"), threshold=0, passed=True),)
    )

    with pytest.raises(UnsupportedValue, match="JSON compliant"):
        seal_point(store, 1.0, gate=verdict)

    assert store.manifests() == []


def damage_by_flipping(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def damage_by_truncating(content: bytes, at: int) -> bytes:
    return content[:at]


@pytest.mark.parametrize("damage", [damage_by_flipping, damage_by_truncating])
def test_a_flipped_byte_or_a_truncated_object_is_refused_by_name(
    damage: Callable[[bytes, int], bytes], tmp_path: Path
) -> None:
    store = ArtifactStore(tmp_path / "store")
    manifest = seal(store, build_model(tmp_path / "texts"))
    publish_point(store, 1.0)

    @settings(max_examples=40)
    @given(entry=st.sampled_from(manifest.objects), place=st.floats(0, 1, exclude_max=True))
    def check(entry, place: float) -> None:  # type: ignore[no-untyped-def]
        path = store.objects.path(entry.digest)
        whole, current = path.read_bytes(), store.current()
        overwrite(path, damage(whole, int(place * len(whole))))
        shared = {each.name for each in manifest.objects if each.digest == entry.digest}
        try:
            with pytest.raises(ArtifactCorrupt) as at_load:
                store.load(manifest, "als", Model)
            with pytest.raises(ArtifactCorrupt) as at_promotion:
                store.promote(manifest.version, by="test", why="damaged")
        finally:
            overwrite(path, whole)

        for error in (at_load.value, at_promotion.value):
            assert error.name in shared
            assert error.path == path
            assert error.expected == entry.digest != error.actual
        assert store.current() == current

    check()


def test_verify_names_everything_that_is_wrong(store: ArtifactStore, tmp_path: Path) -> None:
    manifest = seal(store, build_model(tmp_path / "texts"))
    digests = {entry.name: entry.digest for entry in manifest.objects}
    overwrite(store.objects.path(digests["als/cards"]), b"")
    store.objects.path(digests["als/texts/a.txt"]).unlink()

    errors = store.verify(manifest.version)

    assert [type(error) for error in errors] == [ArtifactCorrupt, ArtifactMissing]
    assert [error.name for error in errors] == ["als/cards", "als/texts/a.txt"]  # type: ignore[attr-defined]


def test_a_version_that_lacks_an_object_is_not_promoted(store: ArtifactStore) -> None:
    current, manifest = publish_point(store, 1.0), seal_point(store, 2.0)
    store.objects.path(manifest.objects[0].digest).unlink()

    with pytest.raises(ArtifactMissing, match="als/at is missing"):
        store.promote(manifest.version, by="test", why="incomplete")

    assert store.current() == current
    assert len(store.promotions()) == 1


@settings(max_examples=60)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_damaged_manifest_is_refused_or_says_the_same(
    place: float, bit: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = ArtifactStore(tmp_path_factory.mktemp("store"))
    manifest = seal_point(store, 1.0)
    path = store.manifest_path(manifest.version)
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1 << bit
    overwrite(path, bytes(content))

    errors = store.verify(manifest.version)

    assert errors or store.manifest(manifest.version) == manifest


@pytest.mark.parametrize("has_new_format", [False, True])
def test_a_manifest_of_a_newer_release_says_to_upgrade(store: ArtifactStore, has_new_format: bool) -> None:
    manifest = seal_point(store, 1.0)
    path = store.manifest_path(manifest.version)
    content = path.read_bytes().replace(b'"schema_number": 1', b'"schema_number": 2')
    overwrite(path, content.replace(b'"npy"', b'"zarr"') if has_new_format else content)

    with pytest.raises(ArtifactError, match="upgrade bookmesh"):
        store.manifest(manifest.version)


def test_a_manifest_that_cannot_be_read_hides_no_other(store: ArtifactStore) -> None:
    whole, cut = seal_point(store, 1.0), seal_point(store, 2.0)
    path = store.manifest_path(cut.version)
    overwrite(path, path.read_bytes()[:100])

    assert store.manifests() == [whole]


@pytest.mark.parametrize("name", ["20200101T000000Z-abcdef", "../CURRENT", ""])
def test_an_unknown_version_is_named_with_those_that_exist(name: str, store: ArtifactStore) -> None:
    held = seal_point(store, 1.0).version

    with pytest.raises(VersionUnknown, match=held):
        store.promote(name, by="test", why="typo")


def test_a_version_that_the_gate_refused_takes_force(store: ArtifactStore) -> None:
    manifest = seal_point(store, 1.0, gate=REFUSED)

    with pytest.raises(GateRefused, match=r"recall@30"):
        store.promote(manifest.version, by="ann", why="hope")
    assert store.current() is None

    store.promote(manifest.version, by="ann", why="inspection", force=True)
    assert store.current() == manifest.version
    assert store.promotions()[-1].forced


def test_promoting_the_current_version_changes_nothing(store: ArtifactStore) -> None:
    version = publish_point(store, 1.0)

    store.promote(version, by="test", why="again")

    assert len(store.promotions()) == 1


def test_rolling_back_twice_goes_two_promotions_back(store: ArtifactStore) -> None:
    first, second, _ = (publish_point(store, float(x)) for x in range(3))

    assert store.rollback(by="ann", why="bad").version == second
    assert store.rollback(by="ann", why="worse").version == first
    with pytest.raises(NothingToRollBackTo, match=first):
        store.rollback(by="ann", why="worst")

    assert store.current() == first
    assert [entry.action for entry in store.promotions()] == ["promote"] * 3 + ["rollback"] * 2


def test_after_a_rollback_and_a_promotion_a_rollback_skips_what_was_rolled_back(store: ArtifactStore) -> None:
    first, _bad = publish_point(store, 1.0), publish_point(store, 2.0)
    store.rollback(by="ann", why="bad")
    publish_point(store, 3.0)

    assert store.rollback(by="ann", why="bad too").version == first


def test_a_rollback_from_a_refresh_leads_to_the_trained_version_before_and_not_to_its_own(
    store: ArtifactStore,
) -> None:
    first, second = publish_point(store, 1.0), publish_point(store, 2.0)
    refresh_point(store, second, 2.1)
    refresh_point(store, second, 2.2)

    assert store.previous() == first
    assert store.rollback(by="ann", why="bad").version == first
    refresh_point(store, first, 1.1)

    with pytest.raises(NothingToRollBackTo):
        store.rollback(by="ann", why="worse")


def test_a_refresh_names_the_version_it_refreshes_and_is_as_old_in_manifest_and_log(
    store: ArtifactStore,
) -> None:
    trained = store.manifest(publish_point(store, 1.0))

    refreshed = store.manifest(refresh_point(store, trained.version, 1.1))

    assert (refreshed.trained_version, refreshed.trained_at) == (trained.version, trained.trained_at)
    assert [entry.refresh_of for entry in store.promotions()] == [None, trained.version]


def test_a_version_may_keep_an_owners_objects_of_another(store: ArtifactStore) -> None:
    manifest = seal_point(store, 1.0)
    draft = store.draft()

    draft.keep(manifest, "als")
    kept = seal_draft(draft)

    assert kept.objects == manifest.objects


def test_a_record_that_shares_values_with_another_version_s_writes_only_the_others(
    store: ArtifactStore, tmp_path: Path
) -> None:
    manifest = seal(store, build_model(tmp_path / "texts"))
    former = store.load(manifest, "als", Model).record
    record = replace(former, factors=former.factors + 1)
    for path in (store.root / "objects").iterdir():
        os.utime(path, (0, 0))

    draft = store.draft()
    draft.renew(manifest, "als", former, record)
    renewed = seal_draft(draft)

    written = [e.name for e in renewed.objects if store.objects.path(e.digest).stat().st_mtime]
    assert written == ["als/factors", "als/neighbours", "als/texts"]  # two are headers, a few bytes each
    assert [e.name for e in renewed.objects if e not in manifest.objects] == ["als/factors"]
    assert {e.name for e in renewed.objects} == {e.name for e in manifest.objects}
    assert store.verify(renewed.version) == []


def test_what_is_in_use_is_not_read_again_by_a_promotion(store: ArtifactStore) -> None:
    former, same, other = seal_point(store, 1.0), seal_point(store, 1.0), seal_point(store, 2.0)
    for manifest in (former, other):
        overwrite(store.objects.path(manifest.objects[0].digest), b"rotten")

    store.promote(same.version, by="ann", why="a test", checked=former)

    assert store.current() == same.version
    with pytest.raises(ArtifactCorrupt):
        store.promote(other.version, by="ann", why="a test", checked=former)


def test_a_rollback_to_a_damaged_version_is_refused(store: ArtifactStore) -> None:
    first, second = publish_point(store, 1.0), publish_point(store, 2.0)
    overwrite(store.objects.path(store.manifest(first).objects[0].digest), b"")

    with pytest.raises(ArtifactCorrupt, match="als/at"):
        store.rollback(by="ann", why="bad")

    assert store.current() == second


@settings(max_examples=30)
@given(moves=st.lists(st.integers(0, 3) | st.just("back"), max_size=10))
def test_the_pointer_follows_a_stack_of_promotions(
    moves: list[int | str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = ArtifactStore(tmp_path_factory.mktemp("store"))
    versions = [seal_point(store, float(x)).version for x in range(4)]
    stack: list[str] = []

    for move in moves:
        if move == "back" and len(stack) < 2:
            with pytest.raises(NothingToRollBackTo):
                store.rollback(by="test", why="")
        elif move == "back":
            stack.pop()
            store.rollback(by="test", why="")
        elif stack[-1:] != [versions[int(move)]]:
            stack.append(versions[int(move)])
            store.promote(stack[-1], by="test", why="")

        assert store.current() == (stack[-1] if stack else None)


def test_a_folder_that_many_threads_open_at_once_is_whole_for_each(
    store: ArtifactStore, tmp_path: Path
) -> None:
    manifest = seal(store, build_model(tmp_path / "texts"))

    def read(_: int) -> str:
        model = ArtifactStore(store.root).load(manifest, "als", Model).record
        return (model.texts.path / "deep" / "b.txt").read_text()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(read, range(24))) == {"second of 0"}
    assert list((store.root / "tmp").iterdir()) == []


def test_objects_cannot_be_written_to_by_accident(store: ArtifactStore) -> None:
    [entry] = seal_point(store, 1.0).objects

    assert store.objects.path(entry.digest).stat().st_mode & 0o222 == 0
    assert os.access(store.objects.path(entry.digest), os.R_OK)
