"""What an operator has written is what is there, whatever is imported afterwards."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from catalog.books import read_heirs
from catalog.database import Database, open_database
from catalog.editing import authors, books, editions, subjects
from catalog.editing.fields import BookFields
from catalog.errors import CatalogError
from catalog.importing import import_source
from catalog.schema import migrate
from catalog.tables import Author, Book, BookAuthor, BookSubject, Edition, Rating, Subject
from tests.catalog.shelf import ListSource, edition, isbn, rating, work

SHELF = ListSource(
    [
        work("A", "Ash", "Ada Lovelace", "Dragons", "Magic"),
        work("B", "Birch", "Grace Hopper", "Ghosts", "Magic"),
        work("C", "Cedar", "Alan Turing", "Whales"),
    ],
    [
        edition(1, "Ash", of="A"), edition(2, "Ash", of="A"), edition(3, "Birch", of="B"),
        edition(4, "Cedar", of="C"), edition(5, "Elm", "Alan Turing"), edition(6, "Elm", "Alan Turing"),
    ],
    rating_list=[*(rating(str(number), number, "9") for number in range(1, 7)), rating("untitled", 10, "9")],
)  # fmt: skip
CORRECTED = replace(
    SHELF,
    work_list=[SHELF.work_list[0], work("B", "Ash", "Ada Lovelace", "Ghosts"), SHELF.work_list[2]],
    edition_list=[
        *SHELF.edition_list[:4],
        edition(6, "Elm", "Alan Turing"),
        edition(5, "Fir", "Alan Turing"),
    ],
)
GROWN = replace(
    SHELF,
    work_list=[*SHELF.work_list, work("G", "Gorse", "Ada Lovelace", "Dragons")],
    edition_list=[
        edition(7, "Gorse", of="G"), *SHELF.edition_list,
        edition(8, "Hazel", "Grace Hopper"), edition(10, "Ivy"),
    ],
    rating_list=[*SHELF.rating_list, rating("7", 7, "9"), rating("8", 8, "9")],
)  # fmt: skip
PARTIAL = replace(SHELF, work_list=SHELF.work_list[1:2], edition_list=SHELF.edition_list[4:])
OTHER = ListSource(
    [work("X", "Ash", "Ada Lovelace", "Dragons")],
    [edition(9, "Ash", of="X"), edition(7, "Gorse", "Ada Lovelace")],
    rating_list=[rating("1", 9, "5")],
    name="other",
)
DUMPS = (SHELF, CORRECTED, GROWN, PARTIAL, OTHER)
RATED = Rating.user_id, Rating.book_id
NEW_SUBJECTS = ("Zebras", "Yaks", "Xylophones", "Wolves", "Vultures", "Unicorns", "Tigers", "Snakes")


@dataclass
class Operator:
    """Makes random changes, and remembers what must be there ever after."""

    db: Database
    written: dict[tuple[int, str], Any] = field(default_factory=dict)
    placed: dict[str, int | None] = field(default_factory=dict)
    merged: dict[int, int] = field(default_factory=dict)
    apart: set[int] = field(default_factory=set)
    withdrawn: set[int] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    ids: dict[tuple[str, str], int] = field(default_factory=dict)
    n_new: int = 0

    def change(self, function: Any, *arguments: Any, **options: Any) -> Any:
        with self.db.session(write=True) as session:
            return function(session, *arguments, **options)

    def new_name(self) -> str:
        self.n_new += 1
        return NEW_SUBJECTS[self.n_new % len(NEW_SUBJECTS)] + " of old" * (self.n_new // len(NEW_SUBJECTS))

    def add_book(self, one: int, _: int) -> None:
        title = f"Book {len(self.ids)}"
        number = isbn(6 + one % 5)
        book_id = self.change(books.add_book, BookFields(title=title), isbns=[number])
        self.written[book_id, "title"], self.placed[number] = title, book_id

    def change_title(self, one: int, other: int) -> None:
        book_id = self.pick(Book.book_id, one)
        self.change(books.change_book, book_id, BookFields(title=f"Title {other}", year=None))
        self.written[book_id, "title"], self.written[book_id, "year"] = f"Title {other}", None

    def merge_book(self, one: int, other: int) -> None:
        book_id, into = self.pick(Book.book_id, one), self.pick(Book.book_id, other)
        self.change(books.merge_book, book_id, into)
        self.merged[book_id] = into
        self.apart.discard(book_id)

    def split_book(self, one: int, _: int) -> None:
        book_id = self.pick(Book.book_id, one)
        self.change(books.split_book, book_id)
        self.merged.pop(book_id, None)
        self.apart.add(book_id)

    def withdraw_book(self, one: int, _: int) -> None:
        book_id = self.pick(Book.book_id, one)
        self.change(books.withdraw_book, book_id)
        self.withdrawn.add(book_id)

    def restore_book(self, one: int, _: int) -> None:
        book_id = self.pick(Book.book_id, one)
        self.change(books.restore_book, book_id)
        self.withdrawn.discard(book_id)

    def add_edition(self, one: int, other: int) -> None:
        number, book_id = isbn(1 + one % 10), self.pick(Book.book_id, other)
        self.change(editions.add_edition, number, book_id)
        self.placed[number] = book_id

    def move_edition(self, one: int, other: int) -> None:
        number, book_id = isbn(1 + one % 10), self.pick(Book.book_id, other)
        self.change(editions.move_edition, number, book_id)
        self.placed[number] = book_id

    def remove_edition(self, one: int, _: int) -> None:
        number = isbn(1 + one % 10)
        self.change(editions.remove_edition, number)
        self.placed[number] = None

    def rename_author(self, one: int, _: int) -> None:
        name, new = self.pick(Author.name, one), self.new_name()
        self.change(authors.rename_author, self.pick(Author.author_id, one), new)
        self.gone.add(name)

    def merge_authors(self, one: int, other: int) -> None:
        name = self.pick(Author.name, one)
        self.change(
            authors.merge_authors, self.pick(Author.author_id, one), self.pick(Author.author_id, other)
        )
        self.gone.add(name)

    def rename_subject(self, one: int, _: int) -> None:
        name = self.pick(Subject.name, one)
        self.change(subjects.rename_subject, name, self.new_name())
        self.gone.add(name)

    def merge_subjects(self, one: int, other: int) -> None:
        name = self.pick(Subject.name, one)
        self.change(subjects.merge_subjects, name, self.pick(Subject.name, other))
        self.gone.add(name)

    def withdraw_subject(self, one: int, _: int) -> None:
        name = self.pick(Subject.name, one)
        self.change(subjects.withdraw_subject, name)
        self.gone.add(name)

    def change_subjects(self, one: int, other: int) -> None:
        book_id = self.pick(Book.book_id, one)
        self.change(books.change_book, book_id, BookFields(subjects=[self.pick(Subject.name, other)]))

    def pick(self, column: Any, number: int) -> Any:
        with self.db.session() as session:
            key = column.class_.__table__.primary_key.columns[0]
            found = session.scalars(select(column).order_by(key)).all()
        return found[number % len(found)] if found else 0

    def check(self) -> None:
        """All that was written is there, nothing was lost, and the tables agree with one another."""
        with self.db.session() as session:
            stored = {book.book_id: book for book in session.scalars(select(Book))}
            heirs = {book_id: book.replaced_by for book_id, book in stored.items() if book.replaced_by}

            def current(book_id: int) -> int:
                return heirs.get(book_id, book_id)

            for (book_id, name), value in self.written.items():
                assert getattr(stored[book_id], name) == value, (book_id, name)
            owners = {each.isbn13: each.book_id for each in session.scalars(select(Edition))}
            for number, owner in self.placed.items():
                assert owners.get(number) == (None if owner is None else current(owner)), number
            for book_id, into in self.merged.items():
                assert current(book_id) == current(into) != book_id
            assert not self.apart & heirs.keys()
            for book_id in self.withdrawn:
                assert stored[book_id].hidden == "withdrawn"
            assert not heirs.keys() & set(heirs.values())
            assert not heirs.keys() & {*owners.values(), *session.scalars(select(Rating.book_id))}
            shown = {
                *session.scalars(select(Author.name).join(BookAuthor)),
                *session.scalars(select(Subject.name).join(BookSubject)),
            }
            assert not self.gone & shown
            for table in (BookAuthor, BookSubject):
                places: dict[int, list[int]] = {}
                for book_id, place in session.execute(select(table.book_id, table.position)):
                    places.setdefault(book_id, []).append(place)
                assert all(sorted(each) == list(range(len(each))) for each in places.values())
            ids = {(book.source, book.external_id): book.book_id for book in stored.values()}
            assert self.ids.items() <= ids.items()
            self.ids = ids


CHANGES = [
    Operator.add_book, Operator.change_title, Operator.change_subjects, Operator.merge_book,
    Operator.split_book, Operator.withdraw_book, Operator.restore_book, Operator.add_edition,
    Operator.move_edition, Operator.remove_edition, Operator.rename_author, Operator.merge_authors,
    Operator.rename_subject, Operator.merge_subjects, Operator.withdraw_subject,
]  # fmt: skip
Step = tuple[Callable[[Operator, int, int], None], int, int, ListSource]
NUMBERS = st.integers(0, 20)
steps = st.lists(
    st.tuples(st.sampled_from(CHANGES), NUMBERS, NUMBERS, st.sampled_from(DUMPS)), min_size=4, max_size=8
)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalog of the first dump, to be copied: an import takes longer than its examples."""
    path = tmp_path_factory.mktemp("template") / "catalog.db"
    with opened(path) as db:
        migrate(db)
        import_source(db, SHELF)
    return path


@contextmanager
def opened(path: Path) -> Iterator[Database]:
    db = open_database(f"sqlite:///{path}")
    yield db
    db.close()


def read_raters(db: Database) -> set[tuple[int, int]]:
    """Each reader and book that they rated."""
    with db.session() as session:
        return {(user_id, book_id) for user_id, book_id in session.execute(select(*RATED))}


def follow(db: Database, raters: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """The same, of books that have become part of others, with their heirs."""
    with db.session() as session:
        heirs = read_heirs(session)
    return {(user_id, heirs.get(book_id, book_id)) for user_id, book_id in raters}


@given(steps=steps)
@settings(max_examples=12)
def test_no_import_changes_what_an_operator_has_written(template: Path, steps: list[Step]) -> None:
    with TemporaryDirectory() as folder, opened(Path(shutil.copy(template, folder))) as db:
        operator = Operator(db)
        operator.check()
        for change, one, other, dump in steps:
            before = read_raters(db)
            with suppress(CatalogError):
                change(operator, one, other)
            operator.check()
            after = read_raters(db)
            assert change is Operator.split_book or follow(db, before) == after

            import_source(db, dump)

            operator.check()
            assert {user_id for user_id, _ in after} <= {user_id for user_id, _ in read_raters(db)}
