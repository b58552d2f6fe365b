"""Tries an import out: everything is read and cleaned, into a catalog that is thrown away."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.books import BookRow, read_titles
from catalog.database import Database, open_database
from catalog.importing.report import ImportReport
from catalog.importing.run import import_source
from catalog.scales import check_scale, read_scale
from catalog.schema import check_migrated, read_state
from catalog.sources.records import Source
from catalog.sources.row_log import Progress
from catalog.sources.scale import Scale
from catalog.tables import Book, Rating, User

N_SHOWN: Final = 10


@dataclass(frozen=True)
class RatingPreview:
    """What a rating becomes."""

    user: str
    """The reader's id at the source."""
    title: str
    given: str
    """As the source writes it."""
    stored: float | None
    """From 1 to 10; None for an implicit one."""


@dataclass(frozen=True)
class Preview:
    """What an import would do to an empty catalog, with the first books and ratings."""

    report: ImportReport
    books: list[BookRow]
    ratings: list[RatingPreview]


@contextmanager
def temporary_catalog() -> Iterator[Database]:
    """A catalog in an SQLite file of its own: nobody waits for it, and memory is that of any import."""
    with (
        TemporaryDirectory(prefix="bookmesh-") as folder,
        closing(open_database(f"sqlite:///{folder}/catalog.db")) as db,
    ):
        yield db


def preview_source(source: Source, *, progress: Progress | None = None) -> Preview:
    """What becomes of a source in a catalog that is thrown away. Raises SourceError."""
    with temporary_catalog() as db:
        report = import_source(db, source, progress=progress)
        with db.session() as session:
            return Preview(report, _read_books(session), _read_ratings(session, source.scale))


def check_importable(db: Database, source: Source) -> None:
    """Raise what an import would before its first row: ScaleChanged or DatabaseNotMigrated."""
    if _has_tables(db):
        check_migrated(db)
        with db.session() as session:
            check_scale(source.name, source.scale, stored=read_scale(session.connection(), source.name))


def has_books(db: Database) -> bool:
    """Whether the catalog has any book; a database without tables stays so. Raises DatabaseNotMigrated."""
    if not _has_tables(db):
        return False
    check_migrated(db)
    with db.session() as session:
        return session.scalar(select(Book.book_id).limit(1)) is not None


def _has_tables(db: Database) -> bool:
    """Whether an import would find tables, or make them; no file is made by looking."""
    file = db.engine.url.database
    is_new_file = db.engine.dialect.name == "sqlite" and not (file and Path(file).exists())
    return not is_new_file and read_state(db).found is not None


def _read_books(session: Session) -> list[BookRow]:
    shown = Book.replaced_by.is_(None), Book.hidden.is_(None)
    first = session.scalars(select(Book.book_id).where(*shown).order_by(Book.book_id).limit(N_SHOWN))
    return list(read_titles(session, first.all()).values())


def _read_ratings(session: Session, scale: Scale) -> list[RatingPreview]:
    rows = session.execute(
        select(User.external_id, Book.title, Rating.rating)
        .join(Rating, Rating.user_id == User.user_id)
        .join(Book, Book.book_id == Rating.book_id)
        .order_by(Rating.user_id, Rating.book_id)
        .limit(N_SHOWN)
    )
    return [RatingPreview(user, title, scale.to_source(rating), rating) for user, title, rating in rows]
