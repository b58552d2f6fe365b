"""Events of a source come into the catalog once, however often it is imported."""

import time
from dataclasses import replace

import pytest
from sqlalchemy import select

from catalog.database import Database
from catalog.editing.books import merge_book, split_book
from catalog.events import dismiss, unmark
from catalog.importing import import_source
from catalog.tables import Event, EventKind, User
from tests.catalog.reading import book_of, dropped
from tests.catalog.shelf import ListSource, edition, event, rating, user, work

SOURCE = ListSource(
    edition_list=[edition(1, "Ash"), edition(2, "Birch")],
    user_list=[user("1"), user("2")],
    rating_list=[rating("rater", 1, "9")],
)


def events_of(db: Database) -> list[tuple[str, int, str, int | None]]:
    """Reader, book, kind and time of every event, in a fixed order."""
    query = select(User.external_id, Event.book_id, Event.kind, Event.at).join(
        User, User.user_id == Event.user_id
    )
    with db.session() as session:
        rows = [tuple(row) for row in session.execute(query)]
    return sorted(rows, key=lambda row: (*row[:3], row[3] or 0))


def test_events_of_known_books_are_kept_and_others_dropped_with_a_reason(db: Database) -> None:
    source = replace(
        SOURCE,
        event_list=[
            event("1", 1),
            event("rater", 2, "view", 50),
            event("1", 1),
            event("", 1),
            event("2", 9),
            event("2", 1, "smelled"),
        ],
    )

    report = import_source(db, source)

    ash, birch = book_of(db, 1).book_id, book_of(db, 2).book_id
    assert events_of(db) == [("1", ash, "to_read", None), ("rater", birch, "view", 50)]
    assert dropped(report, "events") == {
        "event given twice": 1,
        "no usable reader id": 1,
        "no book record": 1,
        "no kind of event": 1,
    }
    assert next(file.n_kept for file in report.files if file.name == "events") == 2
    assert report.totals["events"] == 2


def test_a_reader_whom_only_events_name_is_a_reader_and_one_of_unknown_books_is_none(db: Database) -> None:
    source = replace(SOURCE, event_list=[event("wisher", 1), event("stranger", 9)])

    report = import_source(db, source)
    again = import_source(db, source)

    assert events_of(db) == [("wisher", book_of(db, 1).book_id, "to_read", None)]
    assert report.totals["readers created from ratings and events"] == 2
    assert (report.totals["readers"], again.totals["readers"], again.changes["readers"].new) == (4, 4, 0)


def test_an_event_at_another_time_or_of_another_kind_is_another_one(db: Database) -> None:
    views = [event("1", 1, "view", 5), event("1", 1, "view", 6), event("1", 1, "view")]

    import_source(db, replace(SOURCE, event_list=[*views, event("1", 1, "click")]))

    assert [row[2:] for row in events_of(db)] == [("click", None), ("view", None), ("view", 5), ("view", 6)]


def test_a_repeated_import_adds_only_events_that_are_new(db: Database) -> None:
    source = replace(SOURCE, event_list=[event("1", 1), event("2", 1, "like", 7)])
    import_source(db, source)
    before = events_of(db)

    report = import_source(db, replace(source, event_list=[event("1", 2), *source.event_list]))

    assert len(events_of(db)) == 3
    assert set(before) < set(events_of(db))
    assert dropped(report, "events") == {}


def test_events_given_in_the_app_stay_beside_those_of_the_dump(db: Database) -> None:
    source = replace(SOURCE, event_list=[event("1", 1)])
    import_source(db, source)
    with db.session(write=True) as session:
        user_id = session.scalars(select(User.user_id).filter_by(external_id="1")).one()
        dismiss(session, user_id, book_of(db, 1).book_id)

    import_source(db, source)

    assert [row[2] for row in events_of(db)] == ["dismiss", "to_read"]


def undo(db: Database, kind: EventKind, number: int) -> None:
    """What reader 1 undoes in the app."""
    with db.session(write=True) as session:
        user_id = session.scalars(select(User.user_id).filter_by(external_id="1")).one()
        assert unmark(session, user_id, book_of(db, number).book_id, kind)


@pytest.mark.parametrize("kind", [EventKind.DISMISS, EventKind.TO_READ])
def test_what_was_undone_here_does_not_come_back_with_the_dump_that_told_it(
    db: Database, kind: EventKind
) -> None:
    told = [event("1", 1, kind), event("1", 1, kind, 50), event("1", 1, "like"), event("2", 1, kind)]
    source = replace(SOURCE, event_list=told)
    import_source(db, source)
    undo(db, kind, 1)

    reports = [import_source(db, source) for _ in "12"]

    ash = book_of(db, 1).book_id
    assert events_of(db) == [("1", ash, "like", None), ("2", ash, kind, None)]
    assert [dropped(report, "events") for report in reports] == [{"reader undid it": 2}] * 2
    assert reports[0].changes["events"].unchanged == 2


def test_what_was_done_after_it_had_been_undone_counts(db: Database) -> None:
    import_source(db, replace(SOURCE, event_list=[event("1", 1)]))
    undo(db, EventKind.TO_READ, 1)
    later = int(time.time()) + 100

    import_source(db, replace(SOURCE, event_list=[event("1", 1, at=later)]))

    assert [row[2:] for row in events_of(db)] == [("to_read", later)]


def test_what_was_undone_stays_so_when_its_book_becomes_another_one_and_leaves_it(db: Database) -> None:
    source = replace(SOURCE, event_list=[event("1", 1), event("1", 2)])
    import_source(db, source)
    ash, birch = book_of(db, 1).book_id, book_of(db, 2).book_id
    db.write(lambda session: merge_book(session, birch, ash))
    undo(db, EventKind.TO_READ, 1)

    import_source(db, source)
    assert events_of(db) == []
    db.write(lambda session: split_book(session, birch))
    import_source(db, source)

    assert events_of(db) == []


def test_an_event_of_a_book_that_was_merged_goes_to_its_heir_and_stays_one(db: Database) -> None:
    source = replace(SOURCE, event_list=[event("1", 1)])
    import_source(db, source)

    with_work = replace(source, work_list=[work("A", "Ash")], edition_list=[edition(1, "Ash", of="A")])
    import_source(db, with_work)
    import_source(db, with_work)

    assert book_of(db, 1).external_id == "A"
    assert [row[1] for row in events_of(db)] == [book_of(db, 1).book_id]


def test_what_a_source_tells_of_a_reader_is_kept_and_what_does_not_fit_left_unknown(db: Database) -> None:
    described = user("1")._replace(gender=" F ", occupation="writer &amp; poet", postal_code="55105-1234")
    source = replace(SOURCE, user_list=[described, user("2")._replace(gender="x" * 11)])

    report = import_source(db, source)
    again = import_source(db, replace(source, user_list=[described._replace(occupation="retired")]))

    query = select(User.gender, User.occupation, User.postal_code).order_by(User.user_id)
    with db.session() as session:
        rows = [tuple(row) for row in session.execute(query)]
    assert rows[:2] == [("F", "retired", "55105-1234"), (None, None, None)]
    assert report.repairs == {"texts about readers too long, left unknown": 1}
    assert again.repairs == {}
