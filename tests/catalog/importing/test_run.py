"""An import as a whole: all or nothing, the same again, and what its report tells."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from catalog.database import Database
from catalog.demo.mess import Messy
from catalog.demo.source import Demo
from catalog.importing import import_source
from catalog.importing.changes import Changes
from catalog.importing.report import read_reports
from catalog.jobs import JobKind, list_jobs
from catalog.sources.records import RawRating
from catalog.sources.row_log import RowLog
from catalog.tables import Book, Rating, StoredReport
from tests.catalog.reading import contents, count, dropped, pairs_of_shown
from tests.catalog.shelf import ListSource, edition, event, rating, user, work


def test_an_import_leaves_a_refresh_for_the_worker_and_a_second_one_no_other(db: Database) -> None:
    for _ in range(2):
        import_source(db, ListSource(edition_list=[edition(1, "The Ash Tree")]))

    with db.session() as session:
        assert [job.kind for job in list_jobs(session, limit=5)] == [JobKind.REFRESH]


def test_what_cannot_be_used_is_dropped_and_counted_by_reason(db: Database) -> None:
    bad = rating("1", 1, "5")
    source = ListSource(
        work_list=[work("A", " ")],
        edition_list=[
            edition(1, "Ash"),
            edition(1, "Ash"),
            edition(2, ""),
            edition(3, "Gone", of="A"),
            edition(4, "Birch")._replace(isbns=("9780306406158",)),
            edition(5, "Cedar")._replace(isbns=()),
        ],
        user_list=[user("1"), user("1"), user(" "), user("x" * 65)],
        rating_list=[
            bad,
            rating("1", 9, "5"),
            bad._replace(rating="11"),
            bad._replace(rating="-1"),
            bad._replace(rating="good"),
            bad._replace(user=""),
            bad._replace(isbn="B000OEYC5G"),
        ],
    )

    report = import_source(db, source)

    assert dropped(report, "works") == {"no title": 1}
    assert dropped(report, "editions") == {
        "duplicate ISBN": 1,
        "no title": 1,
        "its work was dropped": 1,
        "ISBN: wrong check digit": 1,
        "no ISBN": 1,
    }
    assert dropped(report, "users") == {"no usable id": 2, "duplicate id": 1}
    assert dropped(report, "ratings") == {
        "rating is not a whole number from 0 to 10": 3,
        "no usable reader id": 1,
        "ISBN: not made of digits": 1,
    }
    assert all(file.n_read == file.n_kept + sum(file.dropped.values()) for file in report.files)
    assert (report.totals["books"], report.totals["books without a title"]) == (1, 1)
    assert (report.totals["ratings"], report.totals["ratings kept as evidence"]) == (2, 1)


def test_importing_twice_changes_nothing(db: Database) -> None:
    source = Messy(Demo(users=40, ratings=400))
    import_source(db, source)
    before = contents(db)

    report = import_source(db, Messy(Demo(users=40, ratings=400)))

    assert contents(db) == before
    assert report.totals["readers created from ratings and events"] == 0
    assert len(report.changes) == 6
    assert {(each.new, each.changed) for each in report.changes.values()} == {(0, 0)}


def test_a_report_tells_what_an_import_changed_and_stays_in_the_catalog(db: Database) -> None:
    source = ListSource(
        [work("A", "Ash", "Ada Lovelace", "Dragons"), work("B", "Birch", year=None), work("C", "Cedar")],
        [edition(1, "Ash", of="A"), edition(2, "Birch", of="B"), edition(3, "Cedar", of="C")],
        [user("1"), user("2")],
        [rating("1", 1, "0"), rating("1", 2, "5")],
        event_list=[event("1", 1)],
    )
    first = import_source(db, source)
    second = import_source(
        db,
        replace(
            source,
            work_list=[
                work("A", "Ash", "Ada Lovelace", "Ghosts"),
                work("B", "Birch", "Ben Jonson", year=None),
                work("C", "Cedar"),
                work("D", "Dogwood"),
            ],
            edition_list=[
                edition(1, "Ash", of="A", year="2001"),
                *source.edition_list[1:],
                edition(4, "Dogwood", of="D"),
            ],
            user_list=[user("1", "70"), user("2"), user("3")],
            rating_list=[rating("1", 1, "9"), rating("1", 2, "5"), rating("3", 4, "1")],
            event_list=[*source.event_list, event("2", 2)],
        ),
    )

    assert first.changes["books"] == Changes(new=3)
    assert second.changes == {
        "books": Changes(new=1, changed=1, unchanged=2),
        "editions": Changes(new=1, changed=1, unchanged=2),
        "subjects of books": Changes(changed=1),
        "readers": Changes(new=1, changed=1, unchanged=1),
        "ratings": Changes(new=1, changed=1, unchanged=1),
        "events": Changes(new=1, unchanged=1),
    }
    with db.session() as session:
        assert read_reports(session, last=5) == [first, second]
        assert read_reports(session, source="lists", last=1) == [second]
        assert read_reports(session, source="other", last=1) == []


class Interrupted(ListSource):
    """A source that breaks while its ratings are read."""

    def ratings(self, log: RowLog) -> Iterator[RawRating]:
        yield from super().ratings(log)
        raise KeyboardInterrupt


def test_an_interrupted_import_leaves_nothing_and_can_be_repeated(db: Database) -> None:
    records = (
        [work("A", "Ash", "A A", "Dragons")],
        [edition(1, "Ash", of="A")],
        [user("1")],
        [rating("1", 1, "9")],
    )

    with pytest.raises(KeyboardInterrupt):
        import_source(db, Interrupted(*records))

    assert all(rows == [] for rows in contents(db).values())
    assert count(db, StoredReport) == 0
    import_source(db, ListSource(*records))
    assert count(db, Rating) == 1


def test_the_mess_of_real_dumps_is_cleaned_to_the_same_books_and_pairs(db: Database) -> None:
    clean = import_source(db, Demo(users=60, ratings=900)).totals
    books, pairs = count(db, Book), pairs_of_shown(db)

    report = import_source(db, Messy(Demo(users=60, ratings=900)))

    assert report.totals["books"] == books
    assert report.totals["books without a title"] > 0
    assert pairs_of_shown(db) == pairs
    assert report.totals["editions"] > clean["editions"]
    reasons = set().union(*(file.dropped for file in report.files))
    assert {"ISBN: wrong check digit", "reader rated the book more than once"} <= reasons


def test_a_source_that_forgets_to_count_is_found_out(sqlite: Database) -> None:
    class Forgetful(ListSource):
        def ratings(self, log: RowLog) -> Iterator[RawRating]:
            log.read("ratings")
            return super().ratings(log)

    with pytest.raises(AssertionError, match="do not add up"):
        import_source(sqlite, Forgetful(edition_list=[edition(1, "Ash")], rating_list=[rating("1", 1, "9")]))

    assert count(sqlite, Book) == 0
