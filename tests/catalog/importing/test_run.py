"""What an import leaves in the catalog, on each database."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from catalog.books import BookRow, find_by_isbn, read_titles
from catalog.database import Database
from catalog.demo.mess import Messy
from catalog.demo.source import Demo
from catalog.events import dismiss
from catalog.importing import ImportReport, import_source
from catalog.importing.changes import Changes
from catalog.importing.report import read_reports
from catalog.jobs import JobKind, list_jobs
from catalog.ratings import delete_rating, put_rating
from catalog.sources.records import RawRating
from catalog.sources.row_log import RowLog
from catalog.tables import (
    Base,
    Book,
    BookSubject,
    CatalogIdentity,
    Edition,
    Event,
    EventKind,
    Job,
    Rating,
    StoredReport,
    Subject,
    SubjectAlias,
    User,
)
from catalog.users import find_user, read_profile
from tests.catalog.shelf import ListSource, edition, event, isbn, rating, user, work


def dropped(report: ImportReport, file: str) -> dict[str, int]:
    return next(entry.dropped for entry in report.files if entry.name == file)


def count(db: Database, table: type[Base]) -> int:
    with db.session() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def book_of(db: Database, number: int) -> BookRow:
    with db.session() as session:
        book_id = find_by_isbn(session, isbn(number))
        assert book_id is not None
        return read_titles(session, [book_id])[book_id]


def ratings_of(db: Database, external_id: str, source: str = "lists") -> dict[str, float | None]:
    """Ratings of a reader by title."""
    with db.session() as session:
        reader = read_profile(session, find_user(session, source, external_id) or 0)
        assert reader is not None
        titles = read_titles(session, [book_id for book_id, _ in reader.history])
        return {titles[book_id].title: value for book_id, value in reader.history}


def subjects_of(db: Database, external_id: str) -> list[str]:
    """Subjects of a book by the id that its source knows it by, the most telling first."""
    query = (
        select(Subject.name)
        .join(BookSubject, BookSubject.subject_id == Subject.subject_id)
        .join(Book, Book.book_id == BookSubject.book_id)
        .where(Book.external_id == external_id)
        .order_by(BookSubject.position)
    )
    with db.session() as session:
        return list(session.scalars(query))


def pairs_of_shown(db: Database) -> set[tuple[int, int]]:
    """Who has rated which book that is shown."""
    with db.session() as session:
        shown = select(Rating.user_id, Rating.book_id).join(Book, Book.book_id == Rating.book_id)
        return {(row[0], row[1]) for row in session.execute(shown.where(Book.hidden.is_(None)))}


def contents(db: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table but what caches ask for, what the worker is told, and reports."""
    with db.session() as session:
        return {
            table.name: [
                tuple(row)
                for row in session.execute(
                    select(*(column for column in table.columns if column.name != "revision")).order_by(
                        *table.primary_key
                    )
                )
            ]
            for table in Base.metadata.sorted_tables
            if table.name not in {each.__tablename__ for each in (CatalogIdentity, Job, StoredReport)}
        }


def test_an_import_leaves_a_refresh_for_the_worker_and_a_second_one_no_other(db: Database) -> None:
    for _ in range(2):
        import_source(db, ListSource(edition_list=[edition(1, "The Ash Tree")]))

    with db.session() as session:
        assert [job.kind for job in list_jobs(session, limit=5)] == [JobKind.REFRESH]


def test_editions_of_one_title_and_first_author_are_one_book(db: Database) -> None:
    titles = ["The Ash Tree", "ASH TREE", "The Ash Tree: A Novel", "The ash tree (Penguin Classics)"]
    source = ListSource(edition_list=[edition(n, title, "J. K. Ash") for n, title in enumerate(titles)])

    import_source(db, source)

    assert {book_of(db, n).book_id for n in range(4)} == {book_of(db, 0).book_id}
    assert count(db, Book) == 1


def test_two_books_of_one_title_stay_two(db: Database) -> None:
    source = ListSource(
        edition_list=[
            edition(1, "Poems", "Ann Ash"),
            edition(2, "Poems", "Bob Birch"),
            edition(3, "Poems", ""),
            edition(4, "Poems", ""),
            edition(5, "Love (Book 1)", "Ann Ash"),
            edition(6, "Love (Book 2)", "Ann Ash"),
        ]
    )

    import_source(db, source)

    assert count(db, Book) == 6


def test_an_edition_without_a_work_joins_the_work_of_its_title_and_author(db: Database) -> None:
    source = ListSource(
        work_list=[work("A", "Ash", "Ada Lovelace", "Dragons")],
        edition_list=[edition(1, "Ash: large print", of="A"), edition(2, "ASH", "Lovelace, Ada")],
    )

    import_source(db, source)

    assert book_of(db, 1) == book_of(db, 2)
    assert book_of(db, 2).external_id == "A"


def test_a_year_comes_from_the_first_edition_if_the_work_has_none(db: Database) -> None:
    source = ListSource(
        work_list=[work("A", "Ash", year=None)],
        edition_list=[
            edition(1, "Ash", of="A", year="0"),
            edition(2, "Ash", of="A", year="May 1987"),
            edition(3, "Ash", of="A", year="2001"),
        ],
    )

    import_source(db, source)

    assert book_of(db, 1).year == 1987


def test_the_highest_explicit_of_several_ratings_is_kept(db: Database) -> None:
    source = ListSource(
        edition_list=[edition(1, "Ash"), edition(2, "Ash"), edition(3, "Birch")],
        rating_list=[
            rating("1", 1, "0"),
            rating("1", 2, "7"),
            rating("1", 1, "5"),
            rating("1", 3, "0"),
            rating("1", 3, "0"),
        ],
    )

    report = import_source(db, source)

    assert ratings_of(db, "1") == {"Ash": 7.0, "Birch": None}
    assert dropped(report, "ratings") == {"reader rated the book more than once": 3}


def test_a_rating_names_its_book_by_work_or_isbn_and_by_the_work_first(db: Database) -> None:
    by_isbn = rating("1", 1, "5")
    source = ListSource(
        work_list=[work("A", "Ash"), work("B", "Birch")],
        edition_list=[edition(1, "Ash", of="A")],
        rating_list=[
            by_isbn,
            by_isbn._replace(user="2", work="B", isbn=""),
            by_isbn._replace(user="3", work="B"),
            by_isbn._replace(user="4", work="unknown"),
            by_isbn._replace(user="5", work="unknown", isbn=""),
        ],
    )

    report = import_source(db, source)

    assert [ratings_of(db, name) for name in "1234"] == [
        {"Ash": 5.0},
        {"Birch": 5.0},
        {"Birch": 5.0},
        {"Ash": 5.0},
    ]
    assert dropped(report, "ratings") == {"no book record": 1}


def test_a_rating_of_a_work_that_was_merged_goes_to_the_work_that_it_joined(db: Database) -> None:
    named = rating("1", 9, "5")._replace(work="B", isbn="")
    source = ListSource(work_list=[work("A", "Ash"), work("B", "ASH")], rating_list=[named])

    import_source(db, source)

    assert ratings_of(db, "1") == {"Ash": 5.0}


def test_a_work_whose_id_comes_twice_is_dropped_the_second_time(db: Database) -> None:
    report = import_source(db, ListSource(work_list=[work("A", "Ash"), work("A", "Birch")]))

    assert dropped(report, "works") == {"duplicate id": 1}
    assert count(db, Book) == 1


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


def test_readers_have_an_age_group_and_a_country_or_nothing(db: Database) -> None:
    source = ListSource(
        user_list=[
            user("1", "34", "porto, v.n.gaia, portugal"),
            user("2", "239", "timmins, ontario, canada"),
            user("3", "", "n/a, n/a, n/a"),
        ]
    )

    report = import_source(db, source)

    with db.session() as session:
        rows = session.execute(select(User.age_group, User.country).order_by(User.external_id)).all()
    assert [tuple(row) for row in rows] == [("25-34", "Portugal"), (None, "Canada"), (None, None)]
    assert report.repairs == {"ages outside 5-100 left unknown": 1}


def test_a_reader_who_only_rated_is_created(db: Database) -> None:
    source = ListSource(edition_list=[edition(1, "Ash")], rating_list=[rating("unseen", 1, "8")])

    report = import_source(db, source)

    assert ratings_of(db, "unseen") == {"Ash": 8.0}
    assert report.totals["readers created from ratings and events"] == 1


def test_raw_subjects_are_folded_and_the_mapping_is_kept(db: Database) -> None:
    source = ListSource(
        work_list=[
            work("A", "Ash", "A A", "Dragons, fiction", "Fiction, fantasy, general", "Fantasy", "Fiction"),
            work("B", "Birch", "B B", "dragon", "Dragons in literature"),
        ],
        edition_list=[edition(1, "Ash", of="A"), edition(2, "Birch", of="B")],
    )

    import_source(db, source)

    assert book_of(db, 1).subjects == ("Fantasy", "Dragons", "Fiction")
    assert book_of(db, 2).subjects == ("Dragons",)
    with db.session() as session:
        aliases = set(session.scalars(select(SubjectAlias.raw)))
    assert {"Dragons, fiction", "Fiction, fantasy, general", "dragon", "Dragons in literature"} <= aliases


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


def test_of_two_files_that_tell_of_an_edition_the_first_counts_each_time(db: Database) -> None:
    source = ListSource(
        [work("A", "Ash")],
        [edition(1, "Ash", of="A", year="1999"), edition(1, "Ash", year="1998")._replace(file="others")],
    )
    import_source(db, source)
    before = contents(db)

    report = import_source(db, source)

    assert contents(db) == before
    assert report.changes["editions"] == Changes(unchanged=1)


def test_a_year_of_an_edition_stays_known_as_such(db: Database) -> None:
    source = ListSource([work("A", "Ash", year=None)], [edition(1, "Ash", of="A", year="1999")])
    import_source(db, source)
    import_source(db, replace(source, edition_list=[edition(1, "Ash", of="A", year="1950")]))

    with db.session() as session:
        assert session.execute(select(Book.year, Book.filled_year)).one() == (1950, True)

    import_source(db, replace(source, work_list=[work("A", "Ash", year=1940)]))

    with db.session() as session:
        assert session.execute(select(Book.year, Book.filled_year)).one() == (1940, False)


def test_a_second_import_brings_news_and_keeps_ids(db: Database) -> None:
    source = ListSource([work("A", "Ash")], [edition(1, "Ash", of="A")], [user("1")], [rating("1", 1, "0")])
    import_source(db, source)
    before = book_of(db, 1)

    import_source(
        db,
        replace(
            source,
            work_list=[work("B", "Birch"), work("A", "Ash & Oak", "New Author")],
            user_list=[user("1", "70")],
            edition_list=[edition(2, "Birch", of="B"), edition(1, "Ash & Oak", of="A")],
            rating_list=[rating("1", 1, "9"), rating("1", 2, "4")],
        ),
    )

    after = book_of(db, 1)
    assert (after.book_id, after.title, after.authors) == (before.book_id, "Ash & Oak", ("New Author",))
    assert ratings_of(db, "1") == {"Ash & Oak": 9.0, "Birch": 4.0}


def test_what_a_reader_rated_here_since_survives_the_next_import(db: Database) -> None:
    source = ListSource(
        edition_list=[edition(1, "Ash"), edition(2, "Birch")], rating_list=[rating("1", 1, "3")]
    )
    import_source(db, source)
    with db.session(write=True) as session:
        user_id = find_user(session, "lists", "1") or 0
        for number, value in ((1, 10.0), (2, 8.0)):
            put_rating(session, user_id, find_by_isbn(session, isbn(number)) or 0, value)

    import_source(db, source)

    assert ratings_of(db, "1") == {"Ash": 10.0, "Birch": 8.0}


def test_works_that_come_later_take_over_the_books_that_were_made_of_their_editions(db: Database) -> None:
    plain = ListSource(
        edition_list=[edition(1, "Ash"), edition(2, "Ash"), edition(3, "Birch")],
        rating_list=[rating("1", 1, "8"), rating("2", 2, "6"), rating("2", 3, "4")],
    )
    import_source(db, plain)
    old, birch = book_of(db, 1).book_id, book_of(db, 3).book_id
    with db.session(write=True) as session:
        session.add(
            Event(user_id=find_user(session, "lists", "1"), book_id=old, kind=EventKind.DISMISS, at=1)
        )

    with_works = replace(
        plain, work_list=[work("A", "Ash")], edition_list=[edition(1, "Ash", of="A"), *plain.edition_list[1:]]
    )
    report = import_source(db, with_works)

    new = book_of(db, 1)
    assert new.external_id == "A"
    assert book_of(db, 2) == new
    assert book_of(db, 3).book_id == birch
    assert (report.totals["books"], report.totals["books replaced by another"]) == (2, 1)
    assert ratings_of(db, "1") == {"Ash": 8.0}
    with db.session() as session:
        assert session.scalar(select(Book.replaced_by).filter_by(book_id=old)) == new.book_id
        assert session.scalar(select(Event.book_id)) == new.book_id


def test_what_a_reader_does_with_a_replaced_book_happens_to_its_heir(db: Database) -> None:
    plain = ListSource(edition_list=[edition(1, "Ash")], user_list=[user("1"), user("2")])
    import_source(db, plain)
    old = book_of(db, 1).book_id
    import_source(db, replace(plain, work_list=[work("A", "Ash")], edition_list=[edition(1, "Ash", of="A")]))
    new = book_of(db, 1).book_id

    with db.session(write=True) as session:
        rater, dismisser = (find_user(session, "lists", name) or 0 for name in ("1", "2"))
        put_rating(session, rater, old, 8.0)
        dismiss(session, dismisser, old)
        readers = [read_profile(session, user_id) for user_id in (rater, dismisser)]
        was_deleted = delete_rating(session, rater, old)

    assert [reader and (reader.history, reader.dismissed, reader.replaced) for reader in readers] == [
        (((new, 8.0),), frozenset(), {old}),
        ((), {new}, {old}),
    ]
    assert was_deleted


def test_works_stay_when_a_later_import_comes_without_them(db: Database) -> None:
    source = ListSource(
        [work("A", "Ash", "Ada Lovelace", "Dragons")], [edition(1, "Ash", of="A")], [], [rating("1", 1, "8")]
    )
    import_source(db, source)
    before = book_of(db, 1)

    import_source(
        db, ListSource(edition_list=[edition(1, "Ash", "Somebody Else")], rating_list=source.rating_list)
    )

    assert book_of(db, 1) == before


def test_two_sources_keep_their_own_books_and_share_subjects(db: Database) -> None:
    import_source(
        db, ListSource([work("A", "Ash", "A A", "Dragons")], [edition(1, "Ash", of="A")], name="one")
    )
    other = ListSource(
        [work("A", "Oak", "A A", "dragons")],
        [edition(1, "Oak", of="A")],
        [],
        [rating("1", 1, "9")],
        name="two",
    )

    report = import_source(db, other)

    assert book_of(db, 1).source == "one"
    assert ratings_of(db, "1", "two") == {"Oak": 9.0}
    assert report.repairs == {"ISBNs left to a book of another source": 1}
    assert (count(db, Book), count(db, Edition)) == (2, 1)


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


def test_a_short_list_of_a_sources_own_subjects_keeps_its_names_and_takes_in_what_means_the_same(
    db: Database,
) -> None:
    genres = ("Action", "Adventure", "Children's", "Comedy", "Drama", "Sci-Fi", "Thriller")
    tagged = work("A", "Ash", "", "thrillers", "humor", "funny", "dragons")._replace(
        exact_subjects=("Comedy", "Thriller")
    )
    source = ListSource(
        [tagged, *(work(g, g, "")._replace(exact_subjects=(g,)) for g in genres)],
        [edition(1, "Ash", of="A")],
    )

    import_source(db, source)
    import_source(db, source)

    assert book_of(db, 1).subjects == ("Comedy", "Thriller", "Dragons")
    with db.session() as session:
        assert set(session.scalars(select(Subject.name))) == {*genres, "Dragons"}


def test_books_without_an_author_share_subjects(db: Database) -> None:
    works = [work(str(n), f"Ash {n}", "", "Basket weaving") for n in range(4)]

    import_source(db, ListSource(works, [edition(1, "Ash 1", of="1")]))

    assert book_of(db, 1).subjects == ("Basket weaving",)
