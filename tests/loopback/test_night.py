"""A night under requests: ratings that tell nothing make a version that nobody is served.

The whole week is tests/long.
"""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.long.week import OF_NOBODY, find_mixed, make_noise
from tests.loopback.load import has_more, steady_load
from tests.meshes import Mesh, wait_until
from tests.notifications.hooks import receiver

pytestmark = pytest.mark.loopback


def test_poisoned_ratings_are_refused_told_of_and_taken_back_while_readers_are_served(
    frail_mesh: Mesh, tmp_path: Path
) -> None:
    home, before = frail_mesh.home, frail_mesh.home.store.current()
    home.succeed("data", "export", str(tmp_path / "evening"))
    poison(frail_mesh)

    with steady_load(frail_mesh.client, OF_NOBODY, per_second=10) as load, receiver() as hook:
        refused = home.run("train", BOOKMESH_NOTIFY__WEBHOOK_URL=hook.url)
        home.succeed("import", "export", str(tmp_path / "evening"))
        wait_until(has_more(load, len(OF_NOBODY)))

    assert refused.returncode == 3
    assert home.store.current() == before
    assert b"gate_refused" in hook.posts[0][1]
    assert load.failures == find_mixed(load) == []
    assert set(load.versions) == {before}


def poison(mesh: Mesh) -> None:
    now = int(time.time())
    columns = "user_id, book_id, rating, rated_at, created_at, given_here"
    with closing(sqlite3.connect(mesh.home.path / "catalog.db", timeout=30)) as connection:
        connection.executemany(
            f"INSERT OR IGNORE INTO ratings ({columns}) VALUES (?, ?, ?, ?, ?, 1)",
            [(*rating, now, now) for rating in make_noise(mesh, each=25, seed=5)],
        )
        connection.commit()
