"""What operators have settled: their changes note it, and every import keeps to it."""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.orm import aliased

from catalog.tables import Book, BookEdit, EditedField, Edition, EditionEdit, Merge, MergedEdition

OWN_SOURCE: Final = "bookmesh"
"""The source of books that operators add."""


class PlacedIsbn(NamedTuple):
    """Where an operator has put an ISBN."""

    book_id: int | None
    """None for an ISBN that is to be nobody's."""
    moved_from: int | None = None
    is_own: bool = False
    """Whether it came with a book that an operator added: a dump's book that has it too is that one."""


@dataclass(frozen=True)
class Settled:
    """What operators have settled, as the import of one source has to know it."""

    isbns: Mapping[str, PlacedIsbn] = field(default_factory=dict)
    heirs: Mapping[int, int] = field(default_factory=dict)
    """The source's books that are part of another one, whatever source that is of."""
    foreign: Set[int] = frozenset()
    """Those of the heirs that another source describes."""
    fields: Mapping[int, Set[str]] = field(default_factory=dict)
    """What of each book is an operator's."""

    def has(self, book_id: int, *fields: EditedField) -> bool:
        """Whether one of these fields of a book is an operator's."""
        return not self.fields.get(book_id, frozenset()).isdisjoint(fields)


def settle(connection: Connection, book_id: int, fields: Iterable[EditedField]) -> None:
    """Remember that these fields of a book are an operator's from now on."""
    fields = set(fields)
    unsettle(connection, book_id, fields)
    rows = [{"book_id": book_id, "field": each, "edited_at": int(time.time())} for each in sorted(fields)]
    if rows:
        connection.execute(insert(BookEdit), rows)


def unsettle(connection: Connection, book_id: int, fields: Iterable[EditedField]) -> None:
    """Leave these fields of a book to imports again."""
    connection.execute(delete(BookEdit).where(BookEdit.book_id == book_id, BookEdit.field.in_(fields)))


def settle_isbn(connection: Connection, isbn13: str, *, moved_from: int | None) -> None:
    """Remember that an ISBN stays where it is now; undoing an earlier merge does not move it either."""
    connection.execute(delete(EditionEdit).where(EditionEdit.isbn13 == isbn13))
    values = {"isbn13": isbn13, "moved_from": moved_from, "edited_at": int(time.time())}
    connection.execute(insert(EditionEdit).values(values))
    connection.execute(delete(MergedEdition).where(MergedEdition.isbn13 == isbn13))


def read_settled(connection: Connection, source: str) -> Settled:
    """What operators have settled by now."""
    fields: dict[int, set[str]] = defaultdict(set)
    for book_id, name in connection.execute(select(BookEdit.book_id, BookEdit.field)):
        fields[book_id].add(name)
    heir = aliased(Book)
    rows = connection.execute(
        select(Book.book_id, heir.book_id, heir.source)
        .join(BookEdit, BookEdit.book_id == Book.book_id)
        .join(heir, heir.book_id == Book.replaced_by)
        .where(Book.source == source, BookEdit.field == EditedField.HEIR)
    ).all()
    return Settled(
        isbns=_read_isbns(connection, source),
        heirs={book_id: heir_id for book_id, heir_id, _ in rows},
        foreign={heir_id for _, heir_id, of in rows if of not in (source, OWN_SOURCE)},
        fields=fields,
    )


def _read_isbns(connection: Connection, source: str) -> dict[str, PlacedIsbn]:
    """The ISBNs that operators have placed, and those of books that they have merged."""
    merged = connection.execute(
        select(Edition.isbn13, Edition.book_id)
        .join(MergedEdition, MergedEdition.isbn13 == Edition.isbn13)
        .join(Merge, Merge.merge_id == MergedEdition.merge_id)
        .join(BookEdit, BookEdit.book_id == Merge.book_id)
        .where(BookEdit.field == EditedField.HEIR)
    )
    placed = connection.execute(
        select(EditionEdit.isbn13, EditionEdit.moved_from, Book.book_id, Book.source)
        .outerjoin(Edition, Edition.isbn13 == EditionEdit.isbn13)
        .outerjoin(Book, Book.book_id == Edition.book_id)
    )
    isbns = {isbn: PlacedIsbn(book_id) for isbn, book_id in merged}
    for isbn, moved_from, book_id, of in placed:
        is_own = of == OWN_SOURCE != source and moved_from is None
        isbns[isbn] = PlacedIsbn(book_id, moved_from, is_own)
    return isbns
