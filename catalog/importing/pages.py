"""Gives books the number of pages that half of their editions do not exceed."""

from collections import defaultdict
from statistics import median_low
from typing import Any

from sqlalchemy import Connection, exists, or_, select

from catalog.bulk import RowWriter
from catalog.importing.ids import read_dict
from catalog.tables import Book, BookEdit, EditedField, Edition


def fill_pages(connection: Connection, source: str) -> None:
    """Write the median of its editions to each book of a source that has no number of pages of its own."""
    settled = exists().where(BookEdit.book_id == Book.book_id, BookEdit.field == EditedField.N_PAGES)
    ours = Book.source == source, ~settled, or_(Book.filled_pages, Book.n_pages.is_(None))
    n_pages: dict[int, list[Any]] = defaultdict(list)
    of_editions = select(Edition.book_id, Edition.n_pages).join(Book, Book.book_id == Edition.book_id)
    for book_id, n in connection.execute(of_editions.where(*ours, Edition.n_pages.is_not(None))):
        n_pages[book_id].append(n)
    medians = {book_id: median_low(numbers) for book_id, numbers in n_pages.items()}
    filled = read_dict(connection, select(Book.book_id, Book.n_pages).where(*ours, Book.filled_pages))
    RowWriter.updating(connection, Book, "n_pages", "filled_pages", where=["book_id"]).extend(
        (medians.get(book_id), book_id in medians, book_id)
        for book_id in sorted(medians.keys() | filled.keys())
        if medians.get(book_id) != filled.get(book_id)
    )
