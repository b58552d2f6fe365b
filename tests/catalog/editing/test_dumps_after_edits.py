"""What the next dump does with a catalog that an operator has changed, on each database."""

from dataclasses import replace

from sqlalchemy import select

from catalog.database import Database
from catalog.editing import authors, books, editions, subjects
from catalog.editing.fields import BookFields
from catalog.importing import import_source
from catalog.tables import Book, Rating
from tests.catalog.editing.test_changes import SHELF, author_id, book_of, change, n_books_of, read
from tests.catalog.shelf import edition, isbn, rating, work


def ratings_of(db: Database, book_id: int) -> list[float | None]:
    with db.session() as session:
        return sorted(session.scalars(select(Rating.rating).filter_by(book_id=book_id)))


def count_changes(db: Database) -> dict[str, int]:
    """How much one more import of the shelf writes."""
    changes = import_source(db, SHELF).changes
    return {kind: each.new + each.changed for kind, each in changes.items() if each.new + each.changed}


def test_a_dump_s_book_with_the_isbn_of_an_added_one_becomes_one_with_it(db: Database) -> None:
    fields = BookFields(title="The Ash", authors=["A. Lovelace"])
    added = change(db, books.add_book, fields, isbns=[isbn(1)])

    import_source(db, SHELF)

    row = read(db, added)
    assert (book_of(db, 1), row.title, row.authors) == (added, "The Ash", ("A. Lovelace",))
    assert row.subjects == ("Dragons", "Magic")
    assert ratings_of(db, added) == [9.0]
    with db.session() as session:
        assert session.scalar(select(Book.replaced_by).filter_by(external_id="A")) == added
    assert count_changes(db) == {}
    assert read(db, added) == row


def test_an_added_book_that_was_split_from_a_dump_s_stays_so(db: Database) -> None:
    added = change(db, books.add_book, BookFields(title="The Ash"), isbns=[isbn(1)])
    import_source(db, SHELF)
    with db.session() as session:
        of_dump = session.scalars(select(Book.book_id).filter_by(external_id="A")).one()

    change(db, books.split_book, of_dump)
    import_source(db, SHELF)

    assert book_of(db, 1) == added
    with db.session() as session:
        assert session.get_one(Book, of_dump).replaced_by is None


def test_a_merge_by_hand_stays_and_ratings_go_to_the_heir(db: Database) -> None:
    import_source(db, SHELF)
    ash, birch = book_of(db, 1), book_of(db, 2)
    change(db, books.merge_book, birch, ash)

    import_source(db, replace(SHELF, rating_list=[*SHELF.rating_list, rating("3", 2, "8")]))

    assert book_of(db, 2) == ash
    assert ratings_of(db, ash) == [4.0, 8.0, 9.0]
    assert count_changes(db) == {}


def test_what_was_written_stays_and_the_rest_is_corrected(db: Database) -> None:
    import_source(db, SHELF)
    ash, birch = book_of(db, 1), book_of(db, 2)
    change(db, books.change_book, ash, BookFields(title="Oak", subjects=["Trees"]))
    change(db, books.withdraw_book, birch)
    corrected = [work("A", "Ashes", "Ada Lovelace", "Wars", year=1950), *SHELF.work_list[1:]]

    import_source(db, replace(SHELF, work_list=corrected))

    row = read(db, ash)
    assert (row.title, row.year, row.subjects, row.main_subject) == ("Oak", 1950, ("Trees",), "Trees")
    with db.session() as session:
        assert session.get_one(Book, birch).hidden == "withdrawn"


def test_ratings_follow_an_edition_that_was_moved_and_a_removed_one_s_stay(db: Database) -> None:
    shelf = replace(SHELF, edition_list=[*SHELF.edition_list, edition(3, "Ash", of="A")])
    shelf = replace(shelf, rating_list=[*SHELF.rating_list, rating("3", 3, "5")])
    import_source(db, shelf)
    ash, birch = book_of(db, 1), book_of(db, 2)

    change(db, editions.move_edition, isbn(3), birch)
    change(db, editions.remove_edition, isbn(1))
    report = import_source(db, shelf)

    assert (book_of(db, 1), book_of(db, 3)) == (0, birch)
    assert (ratings_of(db, ash), ratings_of(db, birch)) == ([9.0], [4.0, 5.0])
    dropped = {file.name: file.dropped for file in report.files}
    assert dropped["editions"] == {"an operator has removed the ISBN": 1}


def test_names_of_authors_and_subjects_are_an_operator_s(db: Database) -> None:
    import_source(db, SHELF)
    change(db, authors.rename_author, author_id(db, "lovelace"), "Ada King")
    change(db, authors.merge_authors, author_id(db, "hopper"), author_id(db, "king"))
    change(db, subjects.rename_subject, "Magic", "Sorcery")
    change(db, subjects.merge_subjects, "Dragons", "Ghosts")
    before = n_books_of(db)

    # In the singular, and of most books, so that folding would call them so.
    singular = [work("C", "Cedar", "Ada Lovelace", "Dragon", "Magic"), *SHELF.work_list]
    import_source(db, replace(SHELF, work_list=singular))

    assert {read(db, book_of(db, number)).authors for number in (1, 2)} == {("Ada King",)}
    assert before == {"Ghosts": 2, "Sorcery": 2}
    assert n_books_of(db) == {"Ghosts": 3, "Sorcery": 3}
    change(db, subjects.withdraw_subject, "Sorcery")
    import_source(db, SHELF)
    assert n_books_of(db) == {"Ghosts": 3}
