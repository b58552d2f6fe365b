"""Queries about subjects."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.tables import Subject


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """A subject and how many books it has."""

    name: str
    n_books: int


def list_subjects(session: Session, limit: int, offset: int, prefix: str = "") -> list[SubjectRow]:
    """Subjects that have books and begin with `prefix`, in any case: the largest first, generic ones last."""
    rows = session.execute(
        select(Subject.name, Subject.n_books)
        .where(Subject.n_books > 0, func.lower(Subject.name).startswith(prefix.lower(), autoescape=True))
        .order_by(Subject.is_generic, Subject.n_books.desc(), Subject.name)
        .limit(limit)
        .offset(offset)
    )
    return [SubjectRow(name, n_books) for name, n_books in rows]
