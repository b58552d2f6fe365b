"""Step 1: copies the catalog out of the database, all tables as of one moment."""

import hashlib
import time
from collections import defaultdict
from collections.abc import Collection

import pyarrow as pa

from catalog.database import Database
from catalog.snapshot import SCHEMAS, read_tables
from foundation.garbage import uncollected
from pipeline.records import Export


def export(db: Database) -> Export:
    """Read all tables in one transaction."""
    return _read(db)


def export_books(db: Database) -> Export:
    """Read all that is told of books; nothing of readers, who are most of a catalog."""
    return _read(db, without={"ratings", "events", "users"})


def _read(db: Database, *, without: Collection[str] = ()) -> Export:
    read_at = time.time()
    batches: defaultdict[str, list[pa.RecordBatch]] = defaultdict(list)
    with uncollected():
        for name, batch in read_tables(db, without=without):
            batches[name].append(batch)
    tables = {name: pa.Table.from_batches(batches[name], SCHEMAS[name]).combine_chunks() for name in SCHEMAS}
    return Export(**tables, fingerprint=_fingerprint(tables), read_at=read_at)


def _fingerprint(tables: dict[str, pa.Table]) -> str:
    digest = hashlib.sha256()
    for name, table in sorted(tables.items()):
        digest.update(name.encode())
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        digest.update(sink.getvalue())
    return digest.hexdigest()
