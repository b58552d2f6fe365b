"""Points what hangs on a book at the book that a later import found it to be an edition of."""

from collections.abc import Mapping

from sqlalchemy import Connection, delete, select, update

from catalog.tables import Book, BookSubject, Edition, Event, Rating


def replace_books(connection: Connection, replacements: Mapping[int, int]) -> int:
    """Retire each old book in favour of a new one; return how many there were.

    Its editions, ratings and events go to the new book; of two ratings of one reader the new book's stays.
    The row itself stays too, so that its id is never given to another book.
    """
    for old, new in replacements.items():
        connection.execute(update(Edition).where(Edition.book_id == old).values(book_id=new))
        user_ids = list(connection.scalars(select(Rating.user_id).where(Rating.book_id == new)))
        connection.execute(delete(Rating).where(Rating.book_id == old, Rating.user_id.in_(user_ids)))
        connection.execute(update(Rating).where(Rating.book_id == old).values(book_id=new))
        connection.execute(update(Event).where(Event.book_id == old).values(book_id=new))
        connection.execute(delete(BookSubject).where(BookSubject.book_id == old))
        connection.execute(update(Book).where(Book.replaced_by == old).values(replaced_by=new))
        connection.execute(update(Book).where(Book.book_id == old).values(replaced_by=new))
    return len(replacements)
