"""Queries about subjects."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.tables import Subject


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """A subject and how many books it has."""

    name: str
    n_books: int


def list_subjects(session: Session) -> list[SubjectRow]:
    """Every subject that has books: the largest first, generic ones last."""
    rows = session.execute(
        select(Subject.name, Subject.n_books)
        .where(Subject.n_books > 0)
        .order_by(Subject.is_generic, Subject.n_books.desc(), Subject.name)
    )
    return [SubjectRow(name, n_books) for name, n_books in rows]
