"""What a source corrects at its next import lands in the catalog, on each database."""

from dataclasses import replace

from sqlalchemy import func, select

from catalog.books import BookRow, find_by_isbn, read_titles
from catalog.database import Database
from catalog.importing import import_source
from catalog.ratings import put_rating
from catalog.sources.records import RawRating, RawWork
from catalog.tables import Book
from catalog.users import find_user, read_profile
from tests.catalog.shelf import ListSource, edition, isbn, rating, work


def book_of(db: Database, number: int) -> BookRow:
    with db.session() as session:
        book_id = find_by_isbn(session, isbn(number))
        assert book_id is not None
        return read_titles(session, [book_id])[book_id]


def histories(db: Database, *names: str) -> list[dict[str, float | None]]:
    """What each reader has rated, by title."""
    found = []
    with db.session() as session:
        for name in names:
            reader = read_profile(session, find_user(session, "lists", name) or 0)
            assert reader is not None
            titles = read_titles(session, [book_id for book_id, _ in reader.history])
            found.append({titles[book_id].title: value for book_id, value in reader.history})
    return found


def count_books(db: Database) -> int:
    with db.session() as session:
        return session.scalar(select(func.count()).where(Book.replaced_by.is_(None))) or 0


def of_work(user: str, key: str, value: str) -> RawRating:
    """A rating that names a work."""
    return RawRating("ratings", user, key, "", value, None)


def unnamed(key: str) -> RawWork:
    """An item that ratings name and nothing describes."""
    return RawWork("works", key, None, (), None, None, None, ())


def test_an_edition_s_new_title_author_and_year_are_those_of_its_book(db: Database) -> None:
    import_source(db, ListSource(edition_list=[edition(1, "Ahs", "A Lovelace", year="1899")]))
    before = book_of(db, 1)

    import_source(db, ListSource(edition_list=[edition(1, "Ash", "Ada Lovelace", year="1843")]))

    after = book_of(db, 1)
    assert (after.title, after.authors, after.year) == ("Ash", ("Ada Lovelace",), 1843)
    assert after.book_id == before.book_id


def test_a_work_s_new_title_author_and_year_are_those_of_its_book(db: Database) -> None:
    import_source(db, ListSource([work("A", "Ahs", "A Lovelace", year=1899)], [edition(1, "", of="A")]))

    import_source(db, ListSource([work("A", "Ash", "Ada Lovelace", year=1843)], [edition(1, "", of="A")]))

    after = book_of(db, 1)
    assert (after.title, after.authors, after.year) == ("Ash", ("Ada Lovelace",), 1843)


def test_an_author_s_name_is_spelled_as_their_source_spells_it_now(db: Database) -> None:
    import_source(db, ListSource([work("A", "Ash", "EMILY BRONTE")], [edition(1, "", of="A")]))

    import_source(db, ListSource([work("A", "Ash", "Emily Brontë")], [edition(1, "", of="A")]))

    assert book_of(db, 1).authors == ("Emily Brontë",)


WRONGLY_ONE = ListSource(
    edition_list=[edition(1, "Ash"), edition(2, "Ash")],
    rating_list=[rating("1", 1, "9"), rating("2", 2, "4"), rating("3", 1, "5"), rating("3", 2, "8")],
)


def test_a_corrected_title_separates_an_edition_and_its_ratings(db: Database) -> None:
    import_source(db, WRONGLY_ONE)
    before = book_of(db, 1).book_id
    assert book_of(db, 2).book_id == before

    import_source(db, replace(WRONGLY_ONE, edition_list=[edition(1, "Ash"), edition(2, "Birch")]))

    assert (book_of(db, 1).book_id, book_of(db, 1).title, book_of(db, 2).title) == (before, "Ash", "Birch")
    assert histories(db, "1", "2", "3") == [{"Ash": 9.0}, {"Birch": 4.0}, {"Ash": 5.0, "Birch": 8.0}]


def test_a_corrected_title_separates_the_edition_that_a_book_was_made_of(db: Database) -> None:
    import_source(db, WRONGLY_ONE)
    before = book_of(db, 1).book_id

    import_source(db, replace(WRONGLY_ONE, edition_list=[edition(1, "Birch"), edition(2, "Ash")]))

    assert (book_of(db, 1).book_id, book_of(db, 1).title, book_of(db, 2).title) == (before, "Birch", "Ash")
    assert histories(db, "1", "2", "3") == [{"Birch": 9.0}, {"Ash": 4.0}, {"Birch": 5.0, "Ash": 8.0}]


def test_what_was_given_here_stays_with_the_book_that_it_was_given_to(db: Database) -> None:
    import_source(db, WRONGLY_ONE)
    with db.session(write=True) as session:
        put_rating(session, find_user(session, "lists", "2") or 0, find_by_isbn(session, isbn(1)) or 0, 7.0)

    import_source(db, replace(WRONGLY_ONE, edition_list=[edition(1, "Ash"), edition(2, "Birch")]))

    assert histories(db, "2") == [{"Ash": 7.0, "Birch": 4.0}]


def test_a_corrected_title_joins_editions_and_their_ratings(db: Database) -> None:
    separate = replace(WRONGLY_ONE, edition_list=[edition(1, "Ash"), edition(2, "Ahs")])
    import_source(db, separate)

    import_source(db, replace(separate, edition_list=[edition(1, "Ash"), edition(2, "Ash")]))

    assert book_of(db, 1) == book_of(db, 2)
    assert count_books(db) == 1
    assert histories(db, "1", "2", "3") == [{"Ash": 9.0}, {"Ash": 4.0}, {"Ash": 8.0}]


ITEMS = ListSource(
    [work("A", "Ash"), work("B", "Birch")],
    rating_list=[
        of_work("1", "A", "9"),
        of_work("2", "B", "4"),
        of_work("3", "A", "5"),
        of_work("3", "B", "8"),
    ],
)


def test_a_corrected_title_joins_works_without_an_isbn(db: Database) -> None:
    import_source(db, ITEMS)

    import_source(db, replace(ITEMS, work_list=[work("A", "Ash"), work("B", "Ash")]))

    assert count_books(db) == 1
    assert histories(db, "1", "2", "3") == [{"Ash": 9.0}, {"Ash": 4.0}, {"Ash": 8.0}]


def test_a_corrected_title_separates_works_without_an_isbn(db: Database) -> None:
    import_source(db, replace(ITEMS, work_list=[work("A", "Ash"), work("B", "Ash")]))

    import_source(db, ITEMS)

    assert count_books(db) == 2
    assert histories(db, "1", "2", "3") == [{"Ash": 9.0}, {"Birch": 4.0}, {"Ash": 5.0, "Birch": 8.0}]


def test_works_that_are_joined_and_separated_again_are_what_they_were(db: Database) -> None:
    joined = replace(ITEMS, work_list=[work("A", "Ash"), work("B", "Ash")])
    import_source(db, ITEMS)
    with db.session() as session:
        before = session.execute(select(Book.book_id, Book.title, Book.replaced_by)).all()

    import_source(db, joined)
    import_source(db, ITEMS)

    with db.session() as session:
        assert session.execute(select(Book.book_id, Book.title, Book.replaced_by)).all() == before
    assert histories(db, "1", "2", "3") == [{"Ash": 9.0}, {"Birch": 4.0}, {"Ash": 5.0, "Birch": 8.0}]


def test_an_item_that_was_merged_stays_so_when_only_ratings_are_imported(db: Database) -> None:
    import_source(db, replace(ITEMS, work_list=[work("A", "Ash"), work("B", "Ash")]))

    import_source(db, replace(ITEMS, work_list=[unnamed("A"), unnamed("B")]))

    assert count_books(db) == 1
    assert histories(db, "2", "3") == [{"Ash": 4.0}, {"Ash": 8.0}]


def test_the_order_of_works_changes_nothing(db: Database) -> None:
    works = [work("A", "Ash"), work("B", "Ash")]
    import_source(db, replace(ITEMS, work_list=works))
    query = select(Book.book_id, Book.external_id, Book.replaced_by).order_by(Book.book_id)
    with db.session() as session:
        before = session.execute(query).all()

    import_source(db, replace(ITEMS, work_list=works[::-1]))

    with db.session() as session:
        assert session.execute(query).all() == before
