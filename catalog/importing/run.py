"""Runs one import from the first row to the report: reads all of a source, then writes it in one go."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select, update

from catalog.buckets import write_buckets
from catalog.database import Database
from catalog.edits import Settled, read_settled
from catalog.identity import lock_catalog, new_revision, read_state, renew_state
from catalog.importing.book_rows import BookRows
from catalog.importing.books import BookImporter, read_identities
from catalog.importing.changes import Changes
from catalog.importing.events import EventImporter
from catalog.importing.favourites import write_favourites
from catalog.importing.identity import Description
from catalog.importing.pages import fill_pages
from catalog.importing.ratings import RatingImporter
from catalog.importing.report import ImportReport, store_report
from catalog.importing.subjects import SubjectCollector
from catalog.importing.users import UserImporter
from catalog.jobs import DEBOUNCE_S, JobKind, enqueue
from catalog.merging.merge import merge_books, merge_for_good
from catalog.merging.undo import undo_merges
from catalog.scales import check_scale, read_scale, write_scale
from catalog.schema import prepare
from catalog.sources.records import Source
from catalog.sources.row_log import Progress, RowLog
from catalog.tables import Book, BookAuthor, BookSubject, Edition, Event, Hidden, Rating, User
from foundation.garbage import uncollected


def import_source(db: Database, source: Source, *, progress: Progress | None = None) -> ImportReport:
    """Bring the catalog up to the state of a source, and the tables into an empty database.

    Repeating an import changes nothing but what changed in the source; ids stay. An import that fails or is
    interrupted leaves nothing. Raises ScaleChanged, and SourceError, which names the file and what to do.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    prepare(db)
    with uncollected(), db.reading() as connection:
        found = _read(connection, source, progress or _ignore, latest_year=started.year + 1)
        with db.writing(connection):
            lock_catalog(connection)
            if read_state(connection) != found.state:  # another import or an operator has come in between
                found = _read(connection, source, progress or _ignore, latest_year=started.year + 1)
            outcome = _write(connection, source, found)
            report = ImportReport(
                source=source.name,
                started_at=started.isoformat(timespec="seconds"),
                seconds=round(time.perf_counter() - clock, 1),
                files=found.log.file_reports(),
                repairs=dict(sorted(found.log.repairs.items())),
                totals={**_count(connection, source.name), **outcome.totals},
                changes=outcome.changes,
            )
            store_report(connection, report)
    # Not in the same transaction: since that began, a worker may have taken the job that this would move.
    with db.session(write=True) as session:
        enqueue(session, JobKind.REFRESH, delay_s=DEBOUNCE_S)
    return report


class _Found(NamedTuple):
    """All that a source has, cleaned, and which rows of the catalog it is."""

    state: str
    """That of the catalog, which the rest holds for."""
    log: RowLog
    settled: Settled
    books: BookImporter
    users: UserImporter
    ratings: RatingImporter
    events: EventImporter


class _Outcome(NamedTuple):
    """Totals, and what changed, per kind."""

    totals: dict[str, int]
    changes: dict[str, Changes]


def _read(connection: Connection, source: Source, progress: Progress, *, latest_year: int) -> _Found:
    """Read all of a source; nothing is written, so that readers can rate meanwhile."""
    state, log = read_state(connection), RowLog(progress)
    check_scale(source.name, source.scale, stored=read_scale(connection, source.name))
    settled = read_settled(connection, source.name)

    def read_books(foretold: Mapping[int, Description]) -> BookImporter:
        identities = read_identities(connection, source.name, settled, foretold)
        rows = BookRows(connection, source.name, settled)
        books = BookImporter(identities, rows, SubjectCollector(), log, latest_year=latest_year)
        for work in source.works(log):
            books.add_work(work)
        for edition in source.editions(log):
            books.add_edition(edition)
        return books

    books = read_books({})
    if misjudged := books.identities.misjudged():
        log = RowLog(progress)
        books = read_books(misjudged)
    users = UserImporter(connection, source.name, log)
    for user in source.users(log):
        users.add(user)
    ratings = RatingImporter(users, books.identities, books.keep_untitled, source.scale, log)
    for rating in source.ratings(log):
        ratings.add(rating)
    events = EventImporter(users, ratings.find_book, log)
    for event in source.events(log):
        events.add(event)
    return _Found(state, log, settled, books, users, ratings, events)


def _write(connection: Connection, source: Source, found: _Found) -> _Outcome:
    write_scale(connection, source.name, source.scale)
    of_books = _write_books(connection, source.name, found)
    of_users = _write_users(connection, source.name, found)
    return _Outcome(of_books.totals | of_users.totals, of_books.changes | of_users.changes)


def _write_books(connection: Connection, source: str, found: _Found) -> _Outcome:
    identities, rows, subjects = found.books.identities, found.books.rows, found.books.subjects
    rows.flush()
    rows.show_titled()
    undo_merges(connection, identities.returned(), placed=identities.placed_isbns())
    heirs = identities.replacements()
    merge_books(connection, heirs, lost_editions=identities.lost_editions(heirs.keys()))
    adopted = identities.adopted()
    merge_for_good(connection, adopted)
    rows.fill_years()
    fill_pages(connection, source)
    write_buckets(connection, Book.source == source)
    n_merged = found.books.n_works_merged
    totals = {"works merged with another": n_merged, "books replaced by another": len(heirs)}
    totals |= subjects.write(connection, source, found.settled, adopted=adopted)
    changes = {"books": rows.books, "editions": rows.editions, "subjects of books": subjects.changes}
    return _Outcome(totals, changes)


def _write_users(connection: Connection, source: str, found: _Found) -> _Outcome:
    users, ratings, events = found.users, found.ratings, found.events
    users.flush()
    # What every reader should be shown may have changed; these are the numbers that caches ask. Who rates
    # from here on waits: else a rating might come between those that are read and those that are written.
    connection.execute(update(User).where(User.source == source).values(revision=new_revision()))
    written = ratings.write(connection, source)
    events.write(connection, source)
    n_with_favourites = write_favourites(connection, source, written)
    renew_state(connection)
    totals = {
        "readers with favourite subjects": n_with_favourites,
        "readers created from ratings and events": users.n_undescribed,
    }
    return _Outcome(totals, {"readers": users.changes, "ratings": ratings.changes, "events": events.changes})


def _count(connection: Connection, source: str) -> dict[str, int]:
    own, own_users = (Book.source == source, Book.replaced_by.is_(None)), User.source == source
    editions = select(func.count()).join_from(Edition, Book, Book.book_id == Edition.book_id).where(*own)
    authors = select(func.count(BookAuthor.author_id.distinct())).join(
        Book, Book.book_id == BookAuthor.book_id
    )
    of_subjects = func.count(BookSubject.book_id.distinct()), func.count(BookSubject.subject_id.distinct())
    filed = select(*of_subjects).join(Book, Book.book_id == BookSubject.book_id).where(*own)
    rated = select(func.count(Rating.user_id), func.count(Rating.rating))
    untitled = *own, Book.hidden == Hidden.UNTITLED
    events = select(func.count(Event.event_id)).join(User, User.user_id == Event.user_id).where(own_users)
    queries = {
        ("books",): select(func.count(Book.book_id)).where(*own, Book.hidden.is_(None)),
        ("books without a title",): select(func.count(Book.book_id)).where(*untitled),
        ("editions",): editions,
        ("authors",): authors.where(*own),
        ("books with subjects", "subjects"): filed,
        ("readers",): select(func.count(User.user_id)).where(own_users),
        ("ratings", "explicit ratings"): rated.join(User, User.user_id == Rating.user_id).where(own_users),
        ("ratings kept as evidence",): select(func.count(Rating.user_id))
        .join(Book, Book.book_id == Rating.book_id)
        .where(*untitled),
        ("events",): events,
    }
    counts = ((names, connection.execute(query).one()) for names, query in queries.items())
    return {name: n for names, row in counts for name, n in zip(names, row, strict=True)}


def _ignore(stage: str, done: int, total: int | None) -> None:
    """The progress of an import that nobody watches."""
