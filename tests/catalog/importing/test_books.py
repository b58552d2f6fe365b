"""Which books, editions and years an import leaves in the catalog."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from catalog.database import Database
from catalog.importing import import_source
from catalog.importing.changes import Changes
from catalog.tables import Author, Book, Edition, Event, EventKind
from catalog.users import find_user
from tests.catalog.reading import book_of, contents, count, dropped, ratings_of
from tests.catalog.shelf import ListSource, edition, rating, user, work


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


@pytest.mark.parametrize("name", ["Unknown", "Author Unknown", "Unknown Author", "UNKNOWN, Unknown", "-"])
def test_a_name_that_says_that_nobody_knows_the_author_is_no_author(sqlite: Database, name: str) -> None:
    source = ListSource([work("A", "Poems", name)], [edition(1, "Poems", of="A"), edition(2, "Poems", name)])

    import_source(sqlite, source)

    assert [book_of(sqlite, n).authors for n in (1, 2)] == [(), ()]
    assert count(sqlite, Author) == 0
    assert book_of(sqlite, 1) != book_of(sqlite, 2), "two may have the title"


def test_an_edition_without_a_work_joins_the_work_of_its_title_and_author(db: Database) -> None:
    source = ListSource(
        work_list=[work("A", "Ash", "Ada Lovelace", "Dragons")],
        edition_list=[edition(1, "Ash: large print", of="A"), edition(2, "ASH", "Lovelace, Ada")],
    )

    import_source(db, source)

    assert book_of(db, 1) == book_of(db, 2)
    assert book_of(db, 2).external_id == "A"


def test_a_work_whose_id_comes_twice_is_dropped_the_second_time(db: Database) -> None:
    report = import_source(db, ListSource(work_list=[work("A", "Ash"), work("A", "Birch")]))

    assert dropped(report, "works") == {"duplicate id": 1}
    assert count(db, Book) == 1


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


def test_a_year_of_an_edition_stays_known_as_such(db: Database) -> None:
    source = ListSource([work("A", "Ash", year=None)], [edition(1, "Ash", of="A", year="1999")])
    import_source(db, source)
    import_source(db, replace(source, edition_list=[edition(1, "Ash", of="A", year="1950")]))

    with db.session() as session:
        assert session.execute(select(Book.year, Book.filled_year)).one() == (1950, True)

    import_source(db, replace(source, work_list=[work("A", "Ash", year=1940)]))

    with db.session() as session:
        assert session.execute(select(Book.year, Book.filled_year)).one() == (1940, False)


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
