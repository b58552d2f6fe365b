"""Events of a source come into the catalog once, however often it is imported."""

from dataclasses import replace

from sqlalchemy import select

from catalog.database import Database
from catalog.events import dismiss
from catalog.importing import import_source
from catalog.tables import Event, User
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
