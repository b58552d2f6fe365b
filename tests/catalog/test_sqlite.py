"""An SQLite file that is replaced while threads use it."""

import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

from sqlalchemy import func, select

from catalog.database import Database, count_opened
from catalog.errors import DatabaseFileReplaced
from catalog.tables import User
from tests.servers.running import wait_until

N_THREADS = 4
N_SUCCESSORS = 20


def test_no_successor_gets_what_belongs_to_the_file_before(sqlite: Database, tmp_path: Path) -> None:
    """Each successor begins empty; a log of its predecessor would fill it, or break it."""
    file, empty = tmp_path / "catalog.db", tmp_path / "empty.db"
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(empty)) as target:
        source.backup(target)
    stopping, unforeseen = threading.Event(), list[Exception]()
    written = dict[int, int]()
    lock = threading.Lock()

    def write(thread: int) -> None:
        n = 0
        while not stopping.is_set():
            n += 1
            try:
                with sqlite.session(write=True) as session:
                    n_opened = count_opened(session)
                    session.add(User(source=str(n_opened), external_id=f"{thread}-{n}"))
            except DatabaseFileReplaced:
                continue
            except Exception as error:  # noqa: BLE001
                unforeseen.append(error)
                return
            with lock:
                written[n_opened] = written.get(n_opened, 0) + 1

    writers = [threading.Thread(target=write, args=(thread,)) for thread in range(N_THREADS)]
    for writer in writers:
        writer.start()
    for n_opened in range(1, N_SUCCESSORS + 1):
        wait_until(lambda n=n_opened: written.get(n, 0) >= 2 * N_THREADS or bool(unforeseen))
        shutil.copy(empty, tmp_path / "next.db").replace(file)
    wait_until(lambda: written.get(N_SUCCESSORS + 1, 0) >= 2 * N_THREADS or bool(unforeseen))
    stopping.set()
    for writer in writers:
        writer.join()

    assert unforeseen == []
    with sqlite.session() as session:
        found = session.execute(select(User.source, func.count()).group_by(User.source)).all()
    last = N_SUCCESSORS + 1
    assert found == [(str(last), written[last])]
    with closing(sqlite3.connect(file)) as catalog:
        assert catalog.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
