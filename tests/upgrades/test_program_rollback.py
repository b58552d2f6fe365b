"""The release before works with a catalog that this one wrote to, and this one with what is left of it."""

import subprocess
import sys
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from catalog.database import Database, open_database
from catalog.demo.source import Demo
from catalog.importing import import_source
from catalog.ratings import put_rating
from catalog.schema import check_migrated, migrate
from catalog.users import read_profile
from tests.homes import Home
from tests.meshes import running_mesh
from tests.upgrades.releases import OLD
from tests.upgrades.seal_home import CATALOG, DEMO, HOMES, QUICK, TINY_MODELS

READER = 7
RATED_NOW, RATED_BY_OLD, RATED_AFTER = 11, 12, 13
RATE = """
import sys
from catalog.database import open_database
from catalog.ratings import put_rating
from catalog.schema import check_migrated
from catalog.users import read_profile
db = open_database(sys.argv[1])
check_migrated(db)
with db.session(write=True) as session:
    put_rating(session, int(sys.argv[2]), int(sys.argv[3]), 3.0)
with db.session() as session:
    print(*sorted(book_id for book_id, _ in read_profile(session, int(sys.argv[2])).history))
"""


@pytest.fixture
def old_home(old_code: Path, tmp_path: Path) -> Home:
    """A home that the release before sealed, with that release as its program."""
    with tarfile.open(HOMES / f"{OLD}.tar.xz") as archive:
        archive.extractall(tmp_path / "home", filter="data")
    return Home(tmp_path / "home", TINY_MODELS, checkout=old_code)


def use_now(db: Database, book_id: int) -> None:
    """What this release does with a catalog: an import, a rating."""
    check_migrated(db)
    import_source(db, Demo(books=150, users=300, ratings=8000, seed=1))
    with db.session(write=True) as session:
        put_rating(session, READER, book_id, 3.0)


def read_history(db: Database) -> dict[int, float | None]:
    with db.session() as session:
        reader = read_profile(session, READER)
    assert reader is not None
    return dict(reader.history)


@pytest.mark.loopback
def test_the_release_before_runs_on_the_new_schema_and_this_one_on_what_it_left(old_home: Home) -> None:
    with closing(open_database(f"sqlite:///{old_home.path / CATALOG}")) as db:
        migrate(db)
        use_now(db, RATED_NOW)
        before = read_history(db)

    assert "books" in old_home.succeed("--help")
    old_home.succeed(*DEMO)
    with running_mesh(old_home, **QUICK) as mesh:
        rated = mesh.client.put(f"/v1/users/{READER}/ratings/{RATED_BY_OLD}", json={"rating": 3})
        listed = mesh.get(f"/v1/users/{READER}/recommendations")["items"]

    assert rated.is_success
    assert listed
    assert not {RATED_NOW, RATED_BY_OLD} & {item["book_id"] for item in listed}
    with closing(open_database(f"sqlite:///{old_home.path / CATALOG}")) as db:
        assert migrate(db) == []
        use_now(db, RATED_AFTER)
        assert read_history(db) == before | {RATED_BY_OLD: 3.0, RATED_AFTER: 3.0}


def test_the_release_before_works_with_a_migrated_mariadb(
    old_code: Path, tmp_path: Path, mariadb_url: str
) -> None:
    old_home = Home(tmp_path / "home", {"BOOKMESH_DATABASE_URL": mariadb_url}, checkout=old_code)
    old_home.succeed(*DEMO)
    with closing(open_database(mariadb_url)) as db:
        migrate(db)
        use_now(db, RATED_NOW)

    old_home.succeed(*DEMO)
    words = [sys.executable, "-c", RATE, mariadb_url, str(READER), str(RATED_BY_OLD)]
    known = subprocess.run(words, cwd=old_code, check=True, capture_output=True, text=True).stdout

    assert {RATED_NOW, RATED_BY_OLD} <= set(map(int, known.split()))
    with closing(open_database(mariadb_url)) as db:
        assert migrate(db) == []
        use_now(db, RATED_AFTER)
        assert {RATED_NOW, RATED_BY_OLD, RATED_AFTER} <= read_history(db).keys()
