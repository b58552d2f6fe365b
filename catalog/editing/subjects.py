"""Changes of subjects; imports go on with what an operator has made of a name that they find."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from catalog.cleaning import subject_key
from catalog.editing.change import changing
from catalog.editing.fields import clean_subject
from catalog.editing.lists import replace_entry
from catalog.errors import EditConflict, SubjectUnknown
from catalog.subjects import SubjectRow, read_subject_ids, update_main_subjects
from catalog.tables import (
    Book,
    BookSubject,
    MergedSubject,
    Subject,
    SubjectAlias,
    SubjectEdit,
    UserSubject,
)

_NAMES = select(Subject.name, Subject.subject_id)
_LISTS = (
    (BookSubject.book_id, BookSubject.subject_id),
    (UserSubject.user_id, UserSubject.subject_id),
    (MergedSubject.merge_id, MergedSubject.subject_id),
)


def rename_subject(session: Session, name: str, new_name: str) -> None:
    """Give a subject another name. Raises SubjectUnknown, EditInvalid or EditConflict."""
    clean = clean_subject(new_name)
    with changing(session) as connection:
        subject_id = _find(connection, name)
        namesake = find_subject(connection, clean)
        if namesake not in (None, subject_id):
            raise EditConflict(f"there is a subject {clean!r}; `bookmesh subjects merge` makes both one")
        connection.execute(update(Subject).where(Subject.subject_id == subject_id).values(name=clean))
        _decide(connection, {name, clean}, subject_id)


def merge_subjects(session: Session, name: str, into: str) -> None:
    """Give a subject's books and readers to another one; the subject is no more.

    Raises SubjectUnknown or EditConflict.
    """
    with changing(session) as connection:
        old, new = (_find(connection, each) for each in (name, into))
        if old == new:
            raise EditConflict(f"subject {name!r} cannot become a part of itself")
        _replace(connection, old, new)
        _decide(connection, {name}, new)


def withdraw_subject(session: Session, name: str) -> None:
    """Take a subject from all books and readers. Raises SubjectUnknown."""
    with changing(session) as connection:
        _replace(connection, _find(connection, name), None)
        _decide(connection, {name}, None)


def restore_subject(session: Session, name: str) -> None:
    """Let imports find a withdrawn subject again. Raises SubjectUnknown."""
    with changing(session) as connection:
        withdrawn = SubjectEdit.name_key == subject_key(name), SubjectEdit.subject_id.is_(None)
        if connection.scalar(select(SubjectEdit.name_key).where(*withdrawn)) is None:
            raise SubjectUnknown(name)
        connection.execute(delete(SubjectEdit).where(*withdrawn))


def list_withdrawn(session: Session) -> list[SubjectRow]:
    """The subjects that were withdrawn, by their keys."""
    withdrawn = select(SubjectEdit.name_key).where(SubjectEdit.subject_id.is_(None))
    return [SubjectRow(key, 0) for key in session.scalars(withdrawn.order_by(SubjectEdit.name_key))]


def write_subjects(connection: Connection, book_id: int, names: Sequence[str]) -> None:
    """Replace the subjects of a book; those that the catalog does not know are new.

    Raises EditConflict for one that was withdrawn.
    """
    subject_ids = dict.fromkeys(_find_or_create(connection, name) for name in names)
    former_ids = read_subject_ids(connection, book_id)
    connection.execute(delete(BookSubject).where(BookSubject.book_id == book_id))
    for position, subject_id in enumerate(subject_ids):
        values = {"book_id": book_id, "subject_id": subject_id, "position": position}
        connection.execute(insert(BookSubject).values(values))
    recounted = former_ids.symmetric_difference(subject_ids)
    update_main_subjects(connection, Book.book_id == book_id, recounted=recounted)


def find_subject(connection: Connection, name: str) -> int | None:
    """The subject of this name, in any case, or what an operator has made of that name."""
    key = subject_key(name)
    named = {subject_key(each): subject_id for each, subject_id in connection.execute(_NAMES)}
    if key in named:
        return named[key]
    return connection.scalar(select(SubjectEdit.subject_id).where(SubjectEdit.name_key == key))


def _find(connection: Connection, name: str) -> int:
    subject_id = find_subject(connection, name)
    if subject_id is None:
        raise SubjectUnknown(name)
    return subject_id


def _find_or_create(connection: Connection, name: str) -> int:
    subject_id = find_subject(connection, name)
    if subject_id is not None:
        return subject_id
    if connection.scalar(select(SubjectEdit.name_key).where(SubjectEdit.name_key == subject_key(name))):
        raise EditConflict(
            f"subject {name!r} was withdrawn; `bookmesh subjects restore` brings it back for all books"
        )
    from catalog.importing.subject_words import read_subject_words  # brings NumPy and SciPy

    subject_id = (connection.scalar(select(func.max(Subject.subject_id))) or 0) + 1
    is_generic = name in read_subject_words().generic
    values = {"subject_id": subject_id, "name": name, "is_generic": is_generic}
    connection.execute(insert(Subject).values(values))
    return subject_id


def _replace(connection: Connection, old: int, new: int | None) -> None:
    """Put another subject, or none, in the place of one, which is no more."""
    for owner, entry in _LISTS:
        replace_entry(connection, owner, entry, old=old, new=new)
    for table in (SubjectAlias, SubjectEdit):
        if new is not None or table is SubjectEdit:
            connection.execute(update(table).where(table.subject_id == old).values(subject_id=new))
    its_books = select(BookSubject.book_id).where(BookSubject.subject_id == new)
    its_former = Book.main_subject_id == old
    recounted = [] if new is None else [new]
    update_main_subjects(connection, or_(its_former, Book.book_id.in_(its_books)), recounted=recounted)
    connection.execute(delete(Subject).where(Subject.subject_id == old))


def _decide(connection: Connection, names: set[str], subject_id: int | None) -> None:
    """Remember what imports are to make of these names."""
    keys = sorted({subject_key(name) for name in names})
    connection.execute(delete(SubjectEdit).where(SubjectEdit.name_key.in_(keys)))
    connection.execute(insert(SubjectEdit), [{"name_key": key, "subject_id": subject_id} for key in keys])
