"""Changes of books."""

import secrets
import time
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.orm import Session

from catalog.buckets import write_buckets
from catalog.cleaning import author_key, title_heading, work_key
from catalog.editing.authors import write_authors
from catalog.editing.change import changing, check_current
from catalog.editing.editions import insert_edition
from catalog.editing.fields import BookFields, clean_fields
from catalog.editing.subjects import write_subjects
from catalog.edits import OWN_SOURCE, settle, unsettle
from catalog.errors import BookNotMerged, BookUnknown, EditConflict, EditInvalid
from catalog.isbn import parse_isbn
from catalog.merging.merge import merge_for_good
from catalog.merging.undo import undo_merges
from catalog.subjects import read_subject_ids, update_main_subjects
from catalog.tables import Author, Book, BookAuthor, EditedField, Hidden

_COLUMNS: Final = ("title", "year", "language", "description", "n_pages")
_FILLED: Final = {"year": "filled_year", "n_pages": "filled_pages"}
"""What says that a value is not the book's own."""


def add_book(
    session: Session, fields: BookFields, *, isbns: Sequence[str] = (), even_if_known: bool = False
) -> int:
    """Add a book and return its id; a book of that title and first author is only added `even_if_known`.

    Raises EditInvalid, IsbnInvalid or EditConflict.
    """
    if "title" not in fields:
        raise EditInvalid("title", "", expected="one: a book must have it")
    fields = clean_fields(fields)
    isbn13s = dict.fromkeys(map(parse_isbn, isbns))
    with changing(session) as connection:
        authors = fields.get("authors", ())
        if authors and not even_if_known:
            _check_new(connection, fields["title"], authors[0])
        book_id = (connection.scalar(select(func.max(Book.book_id))) or 0) + 1
        known_by = {"source": OWN_SOURCE, "external_id": secrets.token_hex(8)}
        values = {"title": fields["title"], "created_at": int(time.time()), **known_by}
        connection.execute(insert(Book).values(book_id=book_id, **values))
        for isbn13 in isbn13s:
            insert_edition(connection, isbn13, book_id)
        _write(connection, book_id, fields)
    return book_id


def change_book(session: Session, book_id: int, fields: BookFields) -> None:
    """Write fields of a book. Raises BookUnknown, EditInvalid or EditConflict."""
    fields = clean_fields(fields)
    with changing(session) as connection:
        check_current(connection, book_id)
        _write(connection, book_id, fields)


def merge_book(session: Session, book_id: int, into: int) -> None:
    """Make a book an edition of another one, for good: `split_book` alone undoes it.

    Raises BookUnknown or EditConflict.
    """
    if book_id == into:
        raise EditConflict(f"book {book_id} cannot become a part of itself", book_id=book_id)
    with changing(session) as connection:
        for each in (book_id, into):
            check_current(connection, each)
        merge_for_good(connection, {book_id: into})


def split_book(session: Session, book_id: int) -> int:
    """Undo the merge of a book for good, and tell which book was its heir.

    No later import makes it part of another book by title and author, nor gives its ISBNs to another. Raises
    BookUnknown or BookNotMerged.
    """
    with changing(session) as connection:
        found = connection.execute(select(Book.replaced_by).where(Book.book_id == book_id)).one_or_none()
        if found is None:
            raise BookUnknown(book_id)
        heir_id: int | None = found.replaced_by
        if heir_id is None:
            raise BookNotMerged(book_id)
        undo_merges(connection, [book_id])
        connection.execute(update(Book).where(Book.book_id == book_id).values(split_from=heir_id))
        unsettle(connection, book_id, [EditedField.HEIR])
    return heir_id


def withdraw_book(session: Session, book_id: int) -> None:
    """Take a book out: it stays evidence, and is shown to nobody. Raises BookUnknown or EditConflict."""
    with changing(session) as connection:
        check_current(connection, book_id)
        hidden = _read_hidden(connection, book_id)
        if hidden == Hidden.WITHDRAWN:
            raise EditConflict(f"book {book_id} is withdrawn already", book_id=book_id)
        if hidden == Hidden.UNTITLED:
            raise EditConflict(f"book {book_id} has no title yet and is shown to nobody", book_id=book_id)
        _hide(connection, book_id, Hidden.WITHDRAWN)
        settle(connection, book_id, [EditedField.HIDDEN])


def restore_book(session: Session, book_id: int) -> None:
    """Show a withdrawn book again. Raises BookUnknown or EditConflict."""
    with changing(session) as connection:
        check_current(connection, book_id)
        if _read_hidden(connection, book_id) != Hidden.WITHDRAWN:
            raise EditConflict(f"book {book_id} is not withdrawn", book_id=book_id)
        _hide(connection, book_id, None)
        unsettle(connection, book_id, [EditedField.HIDDEN])


def _write(connection: Connection, book_id: int, fields: BookFields) -> None:
    values: dict[str, Any] = {name: value for name, value in fields.items() if name in _COLUMNS}
    if "title" in fields:
        values["heading"] = title_heading(fields["title"])
    values |= {filled: False for name, filled in _FILLED.items() if name in values}
    if values:
        connection.execute(update(Book).where(Book.book_id == book_id).values(values))
        write_buckets(connection, Book.book_id == book_id)
    if "title" in fields and _read_hidden(connection, book_id) == Hidden.UNTITLED:
        _hide(connection, book_id, None)
    if "authors" in fields:
        write_authors(connection, book_id, fields["authors"])
    if "subjects" in fields:
        write_subjects(connection, book_id, fields["subjects"])
    settle(connection, book_id, map(EditedField, fields))


def _check_new(connection: Connection, title: str, first_author: str) -> None:
    """Raise EditConflict if there is a book of this title and first author."""
    key, author = work_key(title, first_author), author_key(first_author)
    namesakes = connection.execute(
        select(Book.book_id, Book.title, Author.name)
        .join(BookAuthor, BookAuthor.book_id == Book.book_id)
        .join(Author, Author.author_id == BookAuthor.author_id)
        .where(
            Author.name_key.startswith(author[:1], autoescape=True),
            Author.name_key.endswith(author.rpartition(" ")[2], autoescape=True),
            BookAuthor.position == 0,
            Book.replaced_by.is_(None),
        )
    )
    for book_id, known_title, name in namesakes:
        if work_key(known_title, name) == key:
            raise EditConflict(
                f"book {book_id} has that title and first author; add its ISBN to that one with `bookmesh "
                "editions add`, or insist with --even-if-known",
                book_id=book_id,
            )


def _read_hidden(connection: Connection, book_id: int) -> str | None:
    return connection.scalar(select(Book.hidden).where(Book.book_id == book_id))


def _hide(connection: Connection, book_id: int, hidden: Hidden | None) -> None:
    connection.execute(update(Book).where(Book.book_id == book_id).values(hidden=hidden))
    its_subjects = read_subject_ids(connection, book_id)  # they count the books that are shown
    update_main_subjects(connection, Book.book_id == book_id, recounted=its_subjects)
