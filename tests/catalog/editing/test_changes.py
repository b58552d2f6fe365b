"""What operators change in the catalog, on each database."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.books import BookRow, find_by_isbn, read_titles
from catalog.database import Database
from catalog.editing import authors, books, editions, subjects
from catalog.editing.fields import BookFields
from catalog.errors import (
    AuthorUnknown,
    BookUnknown,
    CatalogError,
    EditConflict,
    EditInvalid,
    EditionUnknown,
    IsbnInvalid,
    SubjectUnknown,
)
from catalog.identity import read_state
from catalog.importing import import_source
from catalog.subjects import list_subjects
from catalog.tables import Author, Book, BookSubject, Hidden, Job
from tests.catalog.shelf import ListSource, edition, isbn, rating, work

SHELF = ListSource(
    [
        work("A", "Ash", "Ada Lovelace", "Dragons", "Magic"),
        work("B", "Birch", "Grace Hopper", "Ghosts", "Magic"),
    ],
    [edition(1, "Ash", of="A"), edition(2, "Birch", of="B")],
    rating_list=[rating("1", 1, "9"), rating("2", 2, "4")],
)


@pytest.fixture
def shelf(db: Database) -> Database:
    """Two books."""
    import_source(db, SHELF)
    return db


def change(db: Database, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    with db.session(write=True) as session:
        return function(session, *arguments, **options)


def book_of(db: Database, number: int) -> int:
    with db.session() as session:
        return find_by_isbn(session, isbn(number)) or 0


def read(db: Database, book_id: int) -> BookRow:
    with db.session() as session:
        return read_titles(session, [book_id])[book_id]


def n_books_of(db: Database) -> dict[str, int]:
    with db.session() as session:
        return {row.name: row.n_books for row in list_subjects(session)}


def test_an_added_book_is_what_the_operator_wrote(shelf: Database) -> None:
    fields = BookFields(
        title="The  Cedar", authors=["Ada Lovelace", "Alan Turing"], year=1843, language="eng",
        description="About trees.", n_pages=208, subjects=["magic", "Trees"],
    )  # fmt: skip

    book_id = change(shelf, books.add_book, fields, isbns=[f"978-{isbn(3)[3:]}"])

    row = read(shelf, book_id)
    assert (row.title, row.authors, row.year) == ("The Cedar", ("Ada Lovelace", "Alan Turing"), 1843)
    assert (row.language, row.description, row.isbns) == ("eng", "About trees.", (isbn(3),))
    assert (row.subjects, row.main_subject) == (("Magic", "Trees"), "Magic")
    assert row.source == "bookmesh"
    assert n_books_of(shelf)["Trees"] == 1
    with shelf.session() as session:
        book = session.get_one(Book, book_id)
        assert (book.n_pages, book.created_at is not None) == (208, True)
        assert session.scalar(select(func.count()).where(Author.name == "Ada Lovelace")) == 1


def test_a_book_that_is_there_is_not_added_again_unless_one_insists(shelf: Database) -> None:
    fields = BookFields(title="ASH: a novel", authors=["Lovelace, Ada"])

    with pytest.raises(EditConflict, match="has that title and first author") as refused:
        change(shelf, books.add_book, fields)
    with pytest.raises(EditConflict, match="is one of book") as taken:
        change(shelf, books.add_book, BookFields(title="Cedar"), isbns=[isbn(2)])
    added = change(shelf, books.add_book, fields, even_if_known=True)

    assert (refused.value.book_id, taken.value.book_id) == (book_of(shelf, 1), book_of(shelf, 2))
    assert read(shelf, added).title == "ASH: a novel"


def test_a_change_writes_what_it_names_and_leaves_the_rest(shelf: Database) -> None:
    ash = book_of(shelf, 1)
    before = read(shelf, ash)

    change(shelf, books.change_book, ash, BookFields(title="Oak", year=None, authors=["Grace Hopper"]))
    change(shelf, books.change_book, ash, BookFields(subjects=["Ghosts"]))

    expected = replace(
        before, title="Oak", year=None, authors=("Grace Hopper",), subjects=("Ghosts",), main_subject="Ghosts"
    )
    assert read(shelf, ash) == expected
    assert n_books_of(shelf) == {"Ghosts": 2, "Magic": 1}


def test_a_subject_that_tells_nothing_is_no_main_subject_though_it_stands_first(shelf: Database) -> None:
    ash = book_of(shelf, 1)

    change(shelf, books.change_book, ash, BookFields(subjects=["Fiction", "Trees"]))

    row = read(shelf, ash)
    assert (row.subjects, row.main_subject) == (("Fiction", "Trees"), "Trees")


def test_an_isbn_that_gets_a_title_counts_among_its_subjects(shelf: Database) -> None:
    import_source(shelf, replace(SHELF, rating_list=[rating("1", 9, "9")]))
    with shelf.session() as session:
        untitled = session.scalars(select(Book.book_id).where(Book.hidden == Hidden.UNTITLED)).one()

    change(shelf, books.change_book, untitled, BookFields(subjects=["Dragons"]))
    assert n_books_of(shelf)["Dragons"] == 1
    change(shelf, books.change_book, untitled, BookFields(title="Cedar"))

    assert n_books_of(shelf)["Dragons"] == 2


def test_an_edition_is_added_moved_and_removed(shelf: Database) -> None:
    ash, birch = book_of(shelf, 1), book_of(shelf, 2)

    change(shelf, editions.add_edition, isbn(3), ash, year=1999, n_pages=100)
    assert read(shelf, ash).isbns == (isbn(1), isbn(3))
    assert change(shelf, editions.move_edition, isbn(3), birch) == ash
    assert read(shelf, birch).isbns == (isbn(2), isbn(3))
    assert change(shelf, editions.remove_edition, isbn(3)) == birch
    assert book_of(shelf, 3) == 0


def test_a_merged_book_is_part_of_the_other_until_it_is_split(shelf: Database) -> None:
    ash, birch = book_of(shelf, 1), book_of(shelf, 2)

    change(shelf, books.merge_book, birch, ash)

    assert book_of(shelf, 2) == ash
    with pytest.raises(EditConflict, match=f"part of book {ash} by now"):
        change(shelf, books.change_book, birch, BookFields(title="Oak"))
    with pytest.raises(EditConflict, match="by now"):
        change(shelf, books.merge_book, ash, birch)
    assert change(shelf, books.split_book, birch) == ash
    assert book_of(shelf, 2) == birch


def test_a_withdrawn_book_is_restored(shelf: Database) -> None:
    ash = book_of(shelf, 1)

    change(shelf, books.withdraw_book, ash)
    with shelf.session() as session:
        assert session.get_one(Book, ash).hidden == "withdrawn"
    with pytest.raises(EditConflict, match="withdrawn already"):
        change(shelf, books.withdraw_book, ash)
    change(shelf, books.restore_book, ash)
    with shelf.session() as session:
        assert session.get_one(Book, ash).hidden is None
    with pytest.raises(EditConflict, match="is not withdrawn"):
        change(shelf, books.restore_book, ash)


def author_id(db: Database, name: str) -> int:
    with db.session() as session:
        [found] = authors.list_authors(session, name=name, limit=10)
    return found.author_id


def test_a_renamed_author_is_so_on_each_of_their_books(shelf: Database) -> None:
    change(shelf, authors.rename_author, author_id(shelf, "lovelace"), "Ada King")

    assert read(shelf, book_of(shelf, 1)).authors == ("Ada King",)
    with pytest.raises(EditConflict, match="has that name"):
        change(shelf, authors.rename_author, author_id(shelf, "hopper"), "ada lovelace")


def test_merged_authors_are_one_and_stand_once_on_a_book(shelf: Database) -> None:
    ash = book_of(shelf, 1)
    change(shelf, books.change_book, ash, BookFields(authors=["Ada Lovelace", "Alan Turing", "Grace Hopper"]))

    change(shelf, authors.merge_authors, author_id(shelf, "lovelace"), author_id(shelf, "hopper"))

    assert read(shelf, ash).authors == ("Grace Hopper", "Alan Turing")
    assert read(shelf, book_of(shelf, 2)).authors == ("Grace Hopper",)
    with shelf.session() as session:
        assert [(row.name, row.n_books) for row in authors.list_authors(session, name="", limit=9)] == [
            ("Grace Hopper", 2), ("Alan Turing", 1),
        ]  # fmt: skip


def test_a_renamed_subject_is_so_on_each_of_its_books(shelf: Database) -> None:
    change(shelf, subjects.rename_subject, "magic", "Sorcery")

    assert n_books_of(shelf) == {"Sorcery": 2, "Dragons": 1, "Ghosts": 1}
    with pytest.raises(EditConflict, match="there is a subject 'Ghosts'"):
        change(shelf, subjects.rename_subject, "Dragons", "Ghosts")
    change(shelf, subjects.rename_subject, "Sorcery", "SORCERY")
    assert "SORCERY" in n_books_of(shelf)


def test_merged_subjects_are_one_in_the_place_of_the_first(shelf: Database) -> None:
    change(shelf, subjects.merge_subjects, "Dragons", "Magic")

    row = read(shelf, book_of(shelf, 1))
    assert (row.subjects, row.main_subject) == (("Magic",), "Magic")
    assert n_books_of(shelf) == {"Magic": 2, "Ghosts": 1}


def test_a_withdrawn_subject_is_on_no_book_and_the_next_is_the_main_one(shelf: Database) -> None:
    change(shelf, subjects.withdraw_subject, "Dragons")

    row = read(shelf, book_of(shelf, 1))
    assert (row.subjects, row.main_subject) == (("Magic",), "Magic")
    with pytest.raises(EditConflict, match="was withdrawn"):
        change(shelf, books.change_book, row.book_id, BookFields(subjects=["dragons"]))
    change(shelf, subjects.restore_subject, "Dragons")
    change(shelf, books.change_book, row.book_id, BookFields(subjects=["dragons"]))
    with shelf.session() as session:
        positions = select(BookSubject.position).where(BookSubject.book_id == row.book_id)
        assert session.scalars(positions).all() == [0]


REFUSED: list[tuple[Callable[[Session, int], object], type[CatalogError]]] = [
    (lambda session, _: books.add_book(session, BookFields(authors=["A"])), EditInvalid),
    (lambda session, _: books.add_book(session, BookFields(title=" ")), EditInvalid),
    (lambda session, ash: books.change_book(session, ash, BookFields(title="x" * 501)), EditInvalid),
    (lambda session, ash: books.change_book(session, ash, BookFields(year=0)), EditInvalid),
    (lambda session, ash: books.change_book(session, ash, BookFields(year=3000)), EditInvalid),
    (lambda session, ash: books.change_book(session, ash, BookFields(language="English")), EditInvalid),
    (lambda session, ash: books.change_book(session, ash, BookFields(n_pages=0)), EditInvalid),
    (lambda session, ash: books.change_book(session, ash, BookFields(authors=["?"])), EditInvalid),
    (
        lambda session, ash: books.change_book(
            session, ash, BookFields(title="Oak", subjects=[f"Tree {n}" for n in range(21)])
        ),
        EditInvalid,
    ),
    (lambda session, _: books.change_book(session, 99, BookFields(title="Oak")), BookUnknown),
    (lambda session, ash: books.merge_book(session, ash, 99), BookUnknown),
    (lambda session, ash: books.merge_book(session, ash, ash), EditConflict),
    (lambda session, ash: editions.add_edition(session, "123", ash), IsbnInvalid),
    (lambda session, ash: editions.move_edition(session, isbn(1), ash), EditConflict),
    (lambda session, ash: editions.move_edition(session, isbn(9), ash), EditionUnknown),
    (lambda session, _: editions.remove_edition(session, isbn(9)), EditionUnknown),
    (lambda session, _: authors.rename_author(session, 99, "Oak"), AuthorUnknown),
    (lambda session, _: subjects.rename_subject(session, "Oaks", "Oak"), SubjectUnknown),
    (lambda session, _: subjects.restore_subject(session, "Magic"), SubjectUnknown),
    (lambda session, _: subjects.merge_subjects(session, "Magic", "magic"), EditConflict),
]


def test_what_cannot_be_is_refused_and_changes_nothing(sqlite: Database) -> None:
    import_source(sqlite, SHELF)
    ash = book_of(sqlite, 1)
    before = read(sqlite, ash)

    for edit, error in REFUSED:
        with pytest.raises(error), sqlite.session(write=True) as session:
            edit(session, ash)

    assert read(sqlite, ash) == before


def test_every_change_renews_the_catalog_s_state_and_asks_for_a_refresh(shelf: Database) -> None:
    ash = book_of(shelf, 1)
    with shelf.session() as session:
        before = read_state(session)

    change(shelf, books.change_book, ash, BookFields(title="Oak"))

    with shelf.session() as session:
        assert read_state(session) != before
        assert session.scalars(select(Job.kind).where(Job.state == "queued")).all() == ["refresh"]
