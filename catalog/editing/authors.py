"""Changes of authors; imports give the books of every name that an author has had to that author."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.orm import Session

from catalog.cleaning import author_key
from catalog.editing.change import changing
from catalog.editing.fields import clean_author
from catalog.editing.lists import replace_entry
from catalog.errors import AuthorUnknown, EditConflict
from catalog.tables import NAME_LENGTH, Author, AuthorAlias, Book, BookAuthor, UserAuthor


@dataclass(frozen=True, slots=True)
class AuthorRow:
    """An author and how many books they wrote."""

    author_id: int
    name: str
    n_books: int


def list_authors(session: Session, *, name: str, limit: int) -> list[AuthorRow]:
    """Authors whose names contain this one, in any case and without accents; those of most books first."""
    n_books = func.count(Book.book_id)
    rows = session.execute(
        select(Author.author_id, Author.name, n_books.label("n_books"))
        .outerjoin(BookAuthor, BookAuthor.author_id == Author.author_id)
        .outerjoin(Book, (Book.book_id == BookAuthor.book_id) & Book.replaced_by.is_(None))
        .where(Author.name_key.contains(author_key(name), autoescape=True))
        .group_by(Author.author_id, Author.name)
        .order_by(n_books.desc(), Author.name, Author.author_id)
        .limit(limit)
    )
    return [AuthorRow(**row._mapping) for row in rows]


def rename_author(session: Session, author_id: int, name: str) -> None:
    """Spell an author's name so. Raises AuthorUnknown, EditInvalid or EditConflict."""
    clean = clean_author(name)
    with changing(session) as connection:
        former_key, key = _read_key(connection, author_id), make_key(clean)
        namesake = find_author(connection, key)
        if namesake not in (None, author_id):
            raise EditConflict(
                f"author {namesake} has that name; `bookmesh authors merge {author_id} {namesake}` makes "
                "both one"
            )
        values = {"name": clean, "name_key": key}
        connection.execute(update(Author).where(Author.author_id == author_id).values(values))
        _note_names(connection, author_id, {former_key, key})


def merge_authors(session: Session, author_id: int, into: int) -> None:
    """Give an author's books and readers to another one, who has their names then; the author is no more.

    Raises AuthorUnknown or EditConflict.
    """
    if author_id == into:
        raise EditConflict(f"author {author_id} cannot become a part of themselves")
    with changing(session) as connection:
        keys = {_read_key(connection, each) for each in (author_id, into)}
        replace_entry(connection, BookAuthor.book_id, BookAuthor.author_id, old=author_id, new=into)
        replace_entry(connection, UserAuthor.user_id, UserAuthor.author_id, old=author_id, new=into)
        aliases = update(AuthorAlias).where(AuthorAlias.author_id == author_id)
        connection.execute(aliases.values(author_id=into))
        _note_names(connection, into, keys)
        connection.execute(delete(Author).where(Author.author_id == author_id))


def write_authors(connection: Connection, book_id: int, names: Sequence[str]) -> None:
    """Replace the authors of a book; those whom the catalog does not know are new."""
    connection.execute(delete(BookAuthor).where(BookAuthor.book_id == book_id))
    author_ids = dict.fromkeys(_find_or_create(connection, name) for name in names)
    for position, author_id in enumerate(author_ids):
        values = {"book_id": book_id, "author_id": author_id, "position": position}
        connection.execute(insert(BookAuthor).values(values))


def find_author(connection: Connection, key: str) -> int | None:
    """The author who has a name, or whom an operator gave it."""
    return find_authors_by_keys(connection, [key]).get(key)


def find_authors_by_keys(connection: Connection, keys: Collection[str]) -> dict[str, int]:
    """Of each of these names the author who has it, or whom an operator gave it, if there is one."""
    found: dict[str, int] = {}
    for table in (Author, AuthorAlias):  # what an operator said last, and above the other
        rows = connection.execute(select(table.name_key, table.author_id).where(table.name_key.in_(keys)))
        found.update(rows.all())
    return found


def make_key(name: str) -> str:
    """A name's key as it is stored."""
    return author_key(name)[:NAME_LENGTH].strip()


def _find_or_create(connection: Connection, name: str) -> int:
    key = make_key(name)
    author_id = find_author(connection, key)
    if author_id is None:
        author_id = (connection.scalar(select(func.max(Author.author_id))) or 0) + 1
        connection.execute(insert(Author).values(author_id=author_id, name=name, name_key=key))
    return author_id


def _read_key(connection: Connection, author_id: int) -> str:
    key = connection.scalar(select(Author.name_key).where(Author.author_id == author_id))
    if key is None:
        raise AuthorUnknown(author_id)
    return key


def _note_names(connection: Connection, author_id: int, keys: set[str]) -> None:
    connection.execute(delete(AuthorAlias).where(AuthorAlias.name_key.in_(keys)))
    rows = [{"name_key": key, "author_id": author_id} for key in sorted(keys)]
    connection.execute(insert(AuthorAlias), rows)
