import pyarrow as pa

from catalog.database import Database
from catalog.importing import import_source
from catalog.ratings import put_rating
from catalog.snapshot import SCHEMAS, read_tables
from tests.catalog.shelf import ListSource, edition, rating, work

LIBRARY = ListSource(
    work_list=[work("A", "Ash", "Ada Lovelace", "Dragons"), work("B", "Birch", "Ben Jonson", "Ghosts")],
    edition_list=[edition(1, "Ash", of="A"), edition(2, "Birch", of="B")],
    rating_list=[rating("1", 1, "9", at=200), rating("1", 2, "0"), rating("2", 2, "5")],
)


def read_all(db: Database, batch: int = 2) -> dict[str, pa.Table]:
    batches: dict[str, list[pa.RecordBatch]] = {}
    for name, rows in read_tables(db, batch):
        batches.setdefault(name, []).append(rows)
    return {name: pa.Table.from_batches(rows) for name, rows in batches.items()}


def test_a_snapshot_of_an_empty_catalog_has_every_table_with_its_columns(db: Database) -> None:
    tables = read_all(db)

    assert {name: table.schema for name, table in tables.items()} == SCHEMAS
    assert {table.num_rows for table in tables.values()} == {0}


def test_a_snapshot_holds_all_rows_whatever_the_size_of_a_batch(db: Database) -> None:
    import_source(db, LIBRARY)

    tables = read_all(db, batch=2)

    assert tables["ratings"].to_pydict() == {
        "user_id": [1, 1, 2],
        "book_id": [1, 2, 2],
        "rating": [9.0, None, 5.0],
        "rated_at": [200, None, None],
    }
    assert tables["books"]["title"].to_pylist() == ["Ash", "Birch"]
    assert tables["subjects"]["is_generic"].to_pylist() == [False, False]
    assert read_all(db, batch=100) == tables


def test_a_snapshot_sees_nothing_that_is_written_while_it_is_read(db: Database) -> None:
    import_source(db, LIBRARY)

    tables = read_tables(db, 1)
    first = next(tables)
    with db.session(write=True) as session:
        put_rating(session, 2, 1, 10.0)
    rest = list(tables)

    assert first[0] == "books"
    assert sum(rows.num_rows for name, rows in rest if name == "ratings") == 3
