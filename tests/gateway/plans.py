"""Every query that the gateway sends, on 100,000 ratings, and how a database means to answer it."""

import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, event, text

from catalog.bulk import RowWriter
from catalog.database import Database, open_database
from catalog.events import NewEvent
from catalog.isbn import build_isbn13
from catalog.schema import migrate
from catalog.tables import (
    Author,
    Base,
    Book,
    BookAuthor,
    BookSubject,
    Edition,
    Event,
    EventKind,
    Rating,
    Subject,
    User,
    UserAuthor,
    UserSubject,
)
from gateway.catalog import Catalog
from gateway.deadline import Deadline
from tests.gateway.running import open_catalog

N_BOOKS, N_USERS, N_RATINGS, N_EVENTS, N_SUBJECTS = 15_000, 5_000, 100_000, 20_000, 500
LARGE = {
    "books",
    "editions",
    "authors",
    "book_authors",
    "book_subjects",
    "users",
    "user_subjects",
    "ratings",
    "events",
}
"""The tables that grow with a catalog."""
FEW = 1_000
PATIENCE_S = 60.0
USER, BOOKS = 17, list(range(100, 150))
ISBN = build_isbn13("978000000042")

READS_EVERYTHING = {"read_most_read": "once, when a gateway starts, and after an import"}
"""Methods that must read a large table, and when they do."""

ANY_QUERY = {"read", "write"}
"""Methods that send what they are given."""

Call = Callable[[Catalog, list[int]], Awaitable[object]]
CALLS: dict[str, Call] = {
    "look": lambda catalog, _: catalog.look(_soon()),
    "read_user": lambda catalog, _: catalog.read_user(USER, _soon()),
    "recall_user": lambda catalog, _: catalog.recall_user(USER, _soon()),
    "read_titles": lambda catalog, books: catalog.read_titles(books, _soon()),
    "find_by_isbn": lambda catalog, _: catalog.find_by_isbn(ISBN, _soon()),
    "find_authors": lambda catalog, _: catalog.find_authors("author 12", 20, 0, _soon()),
    "resolve_authors": lambda catalog, books: catalog.resolve_authors(
        [f"Author {n}" for n in books[:20]], _soon()
    ),
    "read_author": lambda catalog, _: catalog.read_author(17, _soon()),
    "list_authors_of": lambda catalog, books: catalog.list_authors_of(books[0], _soon()),
    "read_subjects_of": lambda catalog, books: catalog.read_subjects_of(books, _soon()),
    "read_subjects": lambda catalog, _: catalog.read_subjects(_soon()),
    "read_most_read": lambda catalog, books: catalog.read_most_read(len(books), _soon()),
    "put_rating": lambda catalog, books: catalog.put_rating(USER, books[0], 8.0),
    "put_ratings": lambda catalog, books: catalog.put_ratings(USER, dict.fromkeys(books, 8.0)),
    "read_statistics": lambda catalog, _: catalog.read_statistics(USER, _soon()),
    "record_events": lambda catalog, books: catalog.record_events(USER, _build_events(books)),
    "dismiss": lambda catalog, books: catalog.dismiss(USER, books[0]),
    "shelve": lambda catalog, _: catalog.shelve(USER, 200),
    "unmark": lambda catalog, books: catalog.unmark(USER, books[0], EventKind.DISMISS),
    "read_marked": lambda catalog, books: catalog.read_marked(
        USER, EventKind.TO_READ, len(books), 0, _soon()
    ),
    "delete_rating": lambda catalog, books: catalog.delete_rating(USER, books[0]),
}
"""Each of the gateway's methods, as a request about these books has it."""


@dataclass(frozen=True)
class Plan:
    """How a database means to answer a statement."""

    statement: str
    lines: tuple[str, ...]
    scanned: tuple[str, ...]
    """Large tables, or their indexes, of which it reads every row."""


@contextmanager
def large_catalog(url: str, *, analysed: bool = True) -> Iterator[Database]:
    """A database of the sizes above."""
    with closing(open_database(url)) as db:
        migrate(db)
        with db.session(write=True) as session:
            _fill(session.connection())
        if analysed:
            _analyse(db)
        yield db


async def collect(db: Database, name: str, book_ids: list[int]) -> list[tuple[str, Any]]:
    """The statements, with their parameters, that one of the calls sends."""
    sent: list[tuple[str, Any]] = []

    def note(_: object, __: object, statement: str, parameters: Any, *___: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            sent.append((statement, parameters))

    catalog = open_catalog(db, write_timeout_s=PATIENCE_S, cached_users=1)
    event.listen(db.engine, "before_cursor_execute", note)
    try:
        await CALLS[name](catalog, book_ids)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return sent


def explain(db: Database, statement: str, parameters: Any) -> Plan:
    """What EXPLAIN tells of a statement."""
    read = {"sqlite": _explain_sqlite, "mysql": _explain_mysql, "postgresql": _explain_postgresql}
    with db.engine.connect() as connection:
        lines, scanned = read[db.engine.dialect.name](connection, statement, parameters)
    return Plan(" ".join(statement.split()), tuple(lines), tuple(name for name in scanned if name in LARGE))


def can_be_explained(statement: str) -> bool:
    return statement.startswith(("SELECT", "UPDATE", "DELETE"))


def _explain_sqlite(connection: Connection, statement: str, parameters: Any) -> tuple[list[str], list[str]]:
    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
    lines = [row[3] for row in rows]
    return lines, [line.split()[1] for line in lines if line.startswith("SCAN ")]


def _explain_mysql(connection: Connection, statement: str, parameters: Any) -> tuple[list[str], list[str]]:
    rows = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).mappings().all()
    lines = [f"{row['table']}: {row['type']}, key {row['key']}, about {row['rows']} rows" for row in rows]
    return lines, [str(row["table"]) for row in rows if row["type"] in ("ALL", "index")]


def _explain_postgresql(
    connection: Connection, statement: str, parameters: Any
) -> tuple[list[str], list[str]]:
    lines = connection.exec_driver_sql(f"EXPLAIN (COSTS OFF) {statement}", parameters).scalars().all()
    run = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"  # whose transaction is rolled back
    return list(lines), list(_find_scans(connection.exec_driver_sql(run, parameters).scalar_one()[0]["Plan"]))


def _find_scans(node: dict[str, Any]) -> Iterator[str]:
    # A merge join walks along an index that has no condition, but stops early.
    n_read = node["Actual Rows"] * node["Actual Loops"] + node.get("Rows Removed by Filter", 0)
    if "Relation Name" in node and n_read >= FEW and not {"Index Cond", "Recheck Cond"} & node.keys():
        yield node["Relation Name"]
    for child in node.get("Plans", ()):
        yield from _find_scans(child)


def _soon() -> Deadline:
    return Deadline.after(PATIENCE_S)


def _build_events(book_ids: list[int]) -> list[NewEvent]:
    """Each book shown, seen and liked."""
    kinds = (EventKind.IMPRESSION, EventKind.VIEW, EventKind.LIKE)
    return [NewEvent(book_id, kind, 1, "a list") for book_id in book_ids for kind in kinds]


def _fill(connection: Connection) -> None:
    draw = random.Random(1)
    books, users = range(1, N_BOOKS + 1), range(1, N_USERS + 1)

    def write(table: type[Base], columns: str, rows: Any) -> None:
        RowWriter.inserting(connection, table, *columns.split()).extend(rows)

    def pairs(ids: range, others: int, n: int) -> list[tuple[int, int]]:
        return sorted({(draw.choice(ids), 1 + int(others * draw.random() ** 2)) for _ in range(n)})

    write(
        Subject,
        "subject_id name is_generic n_books",
        [(n, f"Subject {n}", n < 5, n) for n in range(1, N_SUBJECTS + 1)],
    )
    write(Author, "author_id name name_key", [(n, f"Author {n}", f"author {n}") for n in books])
    write(
        Book,
        "book_id source external_id title description main_subject_id replaced_by filled_year filled_pages",
        [
            (
                n,
                "plans",
                str(n),
                f"Title {n}",
                "What it is about. " * 30,
                1 + n % N_SUBJECTS,
                n - 200 if n > N_BOOKS - 100 else None,
                False,
                False,
            )
            for n in books
        ],
    )
    write(Edition, "isbn13 book_id", [(build_isbn13(f"978{n:09}"), n) for n in books])
    write(BookAuthor, "book_id author_id position", [(n, n, 0) for n in books])
    write(
        BookSubject,
        "book_id subject_id position",
        [(*pair, 0) for pair in pairs(books, N_SUBJECTS, 3 * N_BOOKS)],
    )
    write(User, "user_id source external_id revision", [(n, "plans", str(n), n) for n in users])
    write(
        UserSubject,
        "user_id subject_id position",
        [(*pair, 0) for pair in pairs(users, N_SUBJECTS, 3 * N_USERS)],
    )
    write(UserAuthor, "user_id author_id position", [(USER, n, n) for n in range(1, 6)])
    rated = pairs(users, N_BOOKS - 200, N_RATINGS)
    write(
        Rating, "user_id book_id rating given_here", [(*pair, draw.randint(1, 10), False) for pair in rated]
    )
    seen = pairs(users, N_BOOKS - 200, N_EVENTS)
    write(Event, "user_id book_id kind at", [(*pair, draw.choice([*EventKind]), 1) for pair in seen])


def _analyse(db: Database) -> None:
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if db.engine.dialect.name == "mysql":
            connection.execute(text(f"ANALYZE TABLE {', '.join(sorted(LARGE | {'subjects'}))}"))
        else:
            connection.execute(text("ANALYZE"))
