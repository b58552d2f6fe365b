"""What was destroyed comes back by a backup, whole or not at all."""

import shutil
import stat
import tarfile
from pathlib import Path

import pytest
from sqlalchemy import delete

from artifacts.errors import ArtifactCorrupt
from artifacts.store import ArtifactStore
from backup.archive import Listing, Writer, reading, writing
from backup.errors import BackupDamaged, BackupThere, HomeNotEmpty
from backup.making import make_backup
from backup.restoring import restore_backup
from catalog.accounts import find_by_email
from catalog.errors import ExportTooNew
from catalog.personal import erase
from catalog.tables import Book, Rating
from tests.backup.conftest import EMAIL, Kept, Places, read_rows

LOG_INS = ("token_families", "one_time_tokens")
on_sqlite = pytest.mark.parametrize("places", ["sqlite"], indirect=True)
"""What does not depend on the database is tested on one."""


@pytest.fixture
def empty(places: Places, tmp_path: Path) -> Kept:
    """A home and a database where nothing has happened yet."""
    (tmp_path / "new").mkdir()
    return Kept(places.open(tmp_path / "new"), tmp_path / "new")


@pytest.fixture
def backup(kept: Kept, tmp_path: Path) -> Path:
    return make_backup(kept.db, kept.home, kept.store, tmp_path / "all.tar")[0]


def restore(into: Kept, path: Path, *, replace: bool = False) -> Listing:
    return restore_backup(into.db, into.home, into.store, path, replace=replace)


def test_what_was_destroyed_comes_back_whole(kept: Kept, empty: Kept, backup: Path) -> None:
    rows, current, previous = read_rows(kept.db), kept.store.current(), kept.store.previous()
    shutil.rmtree(kept.home)

    restore(empty, backup)

    assert read_rows(empty.db) == rows | {name: [] for name in LOG_INS}
    assert (empty.store.current(), empty.store.previous()) == (current, previous)
    assert [empty.store.verify(str(version)) for version in (current, previous)] == [[], []]
    assert (empty.home / "secrets" / "signing").read_text() == "a secret"
    empty.store.rollback(by="test", why="it is there")
    assert empty.store.current() == previous
    with empty.db.session(write=True) as session:  # which needs an id that no restored row has
        session.add(Book(source="app", external_id="new", title="New"))


def test_told_to_replace_it_takes_the_place_of_what_is_there(kept: Kept, backup: Path) -> None:
    rows, current = read_rows(kept.db), kept.store.current()
    with kept.db.session(write=True) as session:
        session.execute(delete(Rating))
        erase(session, 1)
    kept.store.rollback(by="test", why="spoilt")
    (kept.home / "secrets" / "signing").write_text("another")

    with pytest.raises(HomeNotEmpty, match="--replace"):
        restore(kept, backup)
    assert kept.store.current() != current
    restore(kept, backup, replace=True)

    assert kept.store.current() == current
    assert (kept.home / "secrets" / "signing").read_text() == "a secret"
    after = read_rows(kept.db)
    assert {row[0] for row in rows["users"]} - {row[0] for row in after["users"]} == {1}  # who was erased
    assert [row for row in rows["ratings"] if row[0] != 1] == after["ratings"]


@on_sqlite
def test_what_fails_half_way_leaves_nothing_and_can_be_done_again(
    kept: Kept, empty: Kept, backup: Path, tmp_path: Path
) -> None:
    newer = rewrite(backup, tmp_path / "newer.tar", "catalog/export.json", b'"accounts"', b'"acc_unts"')

    with pytest.raises(ExportTooNew):
        restore(empty, newer)

    assert (empty.store.versions(), empty.store.current()) == ([], None)
    assert list((empty.home / "artifacts" / "objects").iterdir()) == []
    assert not (empty.home / "secrets").exists()
    restore(empty, backup)


@on_sqlite
@pytest.mark.parametrize("where", ["catalog/ratings.parquet", "artifacts/objects/", "secrets/signing"])
def test_one_wrong_byte_anywhere_is_found_before_anything_is_written(
    kept: Kept, empty: Kept, backup: Path, where: str
) -> None:
    with tarfile.open(backup) as tar:
        member = next(each for each in tar if each.name.startswith(where) and each.size)
    with backup.open("r+b") as file:
        file.seek(member.offset_data + member.size // 2)
        [byte] = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte ^ 1]))

    with pytest.raises(BackupDamaged, match=member.name):
        restore(empty, backup)

    assert not (empty.home / "artifacts").exists()


@on_sqlite
def test_a_file_that_was_cut_off_is_refused(kept: Kept, empty: Kept, backup: Path) -> None:
    with backup.open("r+b") as file:
        file.truncate(backup.stat().st_size // 2)

    with pytest.raises(BackupDamaged, match="backup"):
        restore(empty, backup)


@on_sqlite
def test_what_leads_out_of_its_folder_is_refused(empty: Kept, tmp_path: Path) -> None:
    with writing(tmp_path / "evil.tar") as archive:
        archive.add_bytes("secrets/../../evil", b"")
        finish(archive, Listing(made_at="", version=None, n_rows=0, members=()))

    with pytest.raises(BackupDamaged, match="no backup holds"):
        restore(empty, tmp_path / "evil.tar")


@on_sqlite
def test_a_backup_is_for_its_owner_alone_and_replaces_nothing(kept: Kept, backup: Path) -> None:
    in_folder, _ = make_backup(kept.db, kept.home, kept.store, backup.parent)

    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    with pytest.raises(BackupThere):
        make_backup(kept.db, kept.home, kept.store, backup)
    left = {path.name for path in backup.parent.iterdir()} - {kept.home.name}
    assert left == {backup.name, in_folder.name}


@on_sqlite
def test_a_damaged_version_is_told_of_when_it_is_kept_and_not_when_it_is_needed(
    kept: Kept, tmp_path: Path
) -> None:
    entry = kept.store.manifest(str(kept.store.current())).objects[0]
    path = kept.store.objects.path(entry.digest)
    path.chmod(0o644)
    path.write_bytes(b"spoilt")

    with pytest.raises(ArtifactCorrupt):
        make_backup(kept.db, kept.home, kept.store, tmp_path / "all.tar")

    assert list(tmp_path.iterdir()) == [kept.home]


@on_sqlite
def test_a_catalog_without_any_version_is_kept_too(kept: Kept, empty: Kept, tmp_path: Path) -> None:
    none_yet = ArtifactStore(tmp_path / "none")

    path, listing = make_backup(kept.db, kept.home, none_yet, tmp_path / "all.tar")
    restore(empty, path)

    assert listing.version is empty.store.current() is None
    with empty.db.session() as session:
        assert find_by_email(session, EMAIL)


def rewrite(path: Path, to: Path, name: str, old: bytes, new: bytes) -> Path:
    """The same backup with one file changed, as another release might have written it: all digests fit."""
    with reading(path) as archive, writing(to) as changed:
        for member in archive.listing.members:
            content = archive.read(member.name)
            changed.add_bytes(member.name, content.replace(old, new) if member.name == name else content)
        finish(changed, archive.listing)
    return to


def finish(archive: Writer, listing: Listing) -> None:
    whole = listing.model_copy(update={"members": tuple(archive.members)})
    archive.add_bytes("backup.json", whole.model_dump_json().encode())
