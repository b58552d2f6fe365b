"""The SQL schema of the catalog, one for SQLite, MySQL, MariaDB and PostgreSQL.

What belongs to a reader or a book goes with it: those foreign keys cascade.
"""

from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from catalog.cleaning import HEADING_LENGTH

# InnoDB for transactions; a binary collation, so that "Brontë" and "Bronte" are two keys, as elsewhere.
_MYSQL: dict[str, Any] = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in (("engine", "InnoDB"), ("charset", "utf8mb4"), ("collate", "utf8mb4_bin"))
}
# Such a table is its primary key's index: a reader's history is one range, not a look-up a rating.
_CLUSTERED: dict[str, Any] = {**_MYSQL, "sqlite_with_rowid": False}
# SQLite's INTEGER has 64 bits, and only a column of that name can number its rows.
_BIG_INTEGER = BigInteger().with_variant(Integer, "sqlite")
_IS_HIDDEN = text("hidden IS NOT NULL")

SOURCE_LENGTH = 40
OWN_SOURCE = "bookmesh"
"""The source of readers who signed up here."""
FIRST_OWN_ID = 1_000_000_000
"""Of those readers, whose ids are random: those that imports count up stay below."""
EXTERNAL_ID_LENGTH = 64
LIST_ID_LENGTH = 64
KEY_NAME_LENGTH = 80
EMAIL_LENGTH = 254
TITLE_LENGTH = 500
NAME_LENGTH = 200
RAW_SUBJECT_LENGTH = 500
DESCRIPTION_LENGTH = 16_000
"""Longer values are cut (titles, names, descriptions) or left out (raw subjects) by the importer."""


class EventKind(StrEnum):
    """The kinds of event; a dismissed book is never shown to that reader again."""

    IMPRESSION = "impression"
    VIEW = "view"
    CLICK = "click"
    LIKE = "like"
    TO_READ = "to_read"
    DISMISS = "dismiss"


class Hidden(StrEnum):
    """Why a book is evidence only: it trains, and is never recommended, found or shown."""

    UNTITLED = "untitled"
    """Its source has titles, and none for this one: its title is its ISBN until one comes."""
    WITHDRAWN = "withdrawn"
    """An operator has taken it out."""


class EditedField(StrEnum):
    """What of a book an operator may have settled."""

    TITLE = "title"
    AUTHORS = "authors"
    YEAR = "year"
    LANGUAGE = "language"
    DESCRIPTION = "description"
    N_PAGES = "n_pages"
    SUBJECTS = "subjects"
    HIDDEN = "hidden"
    HEIR = "heir"
    """That it is part of the book that has replaced it."""


class JobState(StrEnum):
    """How far a job of the worker is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Role(StrEnum):
    """What an account may do: a reader what concerns them, an admin everything."""

    READER = "reader"
    ADMIN = "admin"


class Purpose(StrEnum):
    """What a token is for that is good once."""

    RESET = "reset"
    """To set a new password, by mail."""
    CLAIM = "claim"
    """To become the account of an imported reader, by a link that an admin hands out."""


class Base(DeclarativeBase):
    """Base of all tables."""

    __table_args__: Any = _MYSQL
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )


class CatalogIdentity(Base):
    """The one row that tells this catalog from any other."""

    __tablename__ = "catalog_identity"

    catalog_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    """Random, and never changed."""
    revision: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """A random number, a new one with every import."""


class StoredSource(Base):
    """Where books and readers came from, and the scale of its ratings, to write them as they were."""

    __tablename__ = "sources"

    name: Mapped[str] = mapped_column(String(SOURCE_LENGTH), primary_key=True)
    lowest: Mapped[float]
    """1 in this catalog."""
    highest: Mapped[float]
    """10 in this catalog."""
    implicit: Mapped[str] = mapped_column(String(20))
    """As it writes that a reader used an item and did not judge it."""
    is_whole: Mapped[bool]
    """Whether there is nothing between two whole numbers."""


class User(Base):
    """A reader; `revision` is a new random number after all that changes what they should be shown."""

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("source", "external_id"), _MYSQL)

    user_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    source: Mapped[str] = mapped_column(String(SOURCE_LENGTH))
    external_id: Mapped[str] = mapped_column(String(EXTERNAL_ID_LENGTH))
    age_group: Mapped[str | None] = mapped_column(String(10))
    gender: Mapped[str | None] = mapped_column(String(10))
    occupation: Mapped[str | None] = mapped_column(String(40))
    postal_code: Mapped[str | None] = mapped_column(String(12))
    country: Mapped[str | None] = mapped_column(String(60))
    created_at: Mapped[int | None] = mapped_column(BigInteger)
    """Seconds since 1970 UTC; null of those that came before 0.4.0."""
    revision: Mapped[int] = mapped_column(_BIG_INTEGER, default=0, server_default="0")


class ErasedUser(Base):
    """That a reader had everything about them deleted: no import and no backup brings them back."""

    __tablename__ = "erased_users"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the source and of their id there, which itself is not kept."""
    erased_at: Mapped[int] = mapped_column(BigInteger)
    """Seconds since 1970 UTC."""


class Subject(Base):
    """One of about a thousand usable subjects; a generic one ("Fiction") is nobody's main subject."""

    __tablename__ = "subjects"

    subject_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH), unique=True)
    is_generic: Mapped[bool] = mapped_column(default=False)
    n_books: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    """Books of this subject, counted by the importer."""


class Book(Base):
    """A work: all editions of one text."""

    __tablename__ = "books"
    # Of hidden books alone: else SQLite, which has no statistics, would find all others by it.
    __table_args__ = (
        UniqueConstraint("source", "external_id"),
        Index(None, "hidden", sqlite_where=_IS_HIDDEN, postgresql_where=_IS_HIDDEN),
        _MYSQL,
    )

    book_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    source: Mapped[str] = mapped_column(String(SOURCE_LENGTH))
    external_id: Mapped[str] = mapped_column(String(EXTERNAL_ID_LENGTH))
    title: Mapped[str] = mapped_column(String(TITLE_LENGTH))
    heading: Mapped[str | None] = mapped_column(String(HEADING_LENGTH), index=True)
    """The title before its subtitle as `title_heading` writes it; null until it is needed."""
    year: Mapped[int | None] = mapped_column(Integer)
    """Year of first publication, negative before Christ."""
    filled_year: Mapped[bool] = mapped_column(server_default=false())
    """Whether the year is not the work's own but that of its first known edition."""
    year_bucket: Mapped[str | None] = mapped_column(String(12))
    n_pages: Mapped[int | None] = mapped_column(Integer)
    filled_pages: Mapped[bool] = mapped_column(server_default=false())
    """Whether the number of pages is not the work's own but the median of its editions."""
    page_bucket: Mapped[str | None] = mapped_column(String(12))
    language: Mapped[str | None] = mapped_column(String(3))
    """ISO 639-2/B code."""
    description: Mapped[str | None] = mapped_column(Text)
    main_subject_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.subject_id"))
    replaced_by: Mapped[int | None] = mapped_column(ForeignKey("books.book_id"), index=True)
    """Set when a later import found that this work is another one's edition: ids are never reused."""
    split_from: Mapped[int | None] = mapped_column(Integer)
    """The book that an operator has split it off: title and author never make it another one's edition."""
    hidden: Mapped[str | None] = mapped_column(String(10))
    """One of `Hidden`; null for a book that is shown."""
    created_at: Mapped[int | None] = mapped_column(BigInteger)
    """Seconds since 1970 UTC; null of those that came before 0.4.0."""


class BookEdit(Base):
    """What an operator has written of a book: no import changes it back."""

    __tablename__ = "book_edits"
    __table_args__ = _CLUSTERED

    book_id: Mapped[int] = mapped_column(ForeignKey("books.book_id", ondelete="CASCADE"), primary_key=True)
    field: Mapped[str] = mapped_column(String(20), primary_key=True)
    """One of `EditedField`."""
    edited_at: Mapped[int] = mapped_column(BigInteger)
    """Seconds since 1970 UTC."""


class Edition(Base):
    """One ISBN of a work."""

    __tablename__ = "editions"

    isbn13: Mapped[str] = mapped_column(String(13), primary_key=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("books.book_id", ondelete="CASCADE"), index=True)
    year: Mapped[int | None] = mapped_column(Integer)
    n_pages: Mapped[int | None] = mapped_column(Integer)


class EditionEdit(Base):
    """That an operator has settled whose edition an ISBN is: its book's, or nobody's where it has none."""

    __tablename__ = "edition_edits"

    isbn13: Mapped[str] = mapped_column(String(13), primary_key=True)
    moved_from: Mapped[int | None] = mapped_column(Integer)
    """The book that it was taken from; null if it had none."""
    edited_at: Mapped[int] = mapped_column(BigInteger)
    """Seconds since 1970 UTC."""


class Author(Base):
    """A person who wrote; `name_key` is the name without case, accents and punctuation."""

    __tablename__ = "authors"

    author_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    name_key: Mapped[str] = mapped_column(String(NAME_LENGTH), unique=True)


class AuthorAlias(Base):
    """A name that an operator gave an author or took from them, by its key: books of that name are theirs.

    An author with any is spelled as the operator did; the present name is among them.
    """

    __tablename__ = "author_aliases"

    name_key: Mapped[str] = mapped_column(String(NAME_LENGTH), primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.author_id", ondelete="CASCADE"), index=True)


class BookAuthor(Base):
    """Who wrote a book, the first author at position 0."""

    __tablename__ = "book_authors"
    __table_args__ = _CLUSTERED

    book_id: Mapped[int] = mapped_column(ForeignKey("books.book_id", ondelete="CASCADE"), primary_key=True)
    author_id: Mapped[int] = mapped_column(
        ForeignKey("authors.author_id", ondelete="CASCADE"), primary_key=True, index=True
    )
    position: Mapped[int] = mapped_column(Integer)


class SubjectAlias(Base):
    """What a raw subject string of a source was folded to."""

    __tablename__ = "subject_aliases"

    raw: Mapped[str] = mapped_column(String(RAW_SUBJECT_LENGTH), primary_key=True)
    subject_id: Mapped[int] = mapped_column(ForeignKey("subjects.subject_id", ondelete="CASCADE"), index=True)


class SubjectEdit(Base):
    """What an operator makes of a subject that imports find, by its key: another one; nothing if null."""

    __tablename__ = "subject_edits"

    name_key: Mapped[str] = mapped_column(String(NAME_LENGTH), primary_key=True)
    subject_id: Mapped[int | None] = mapped_column(
        ForeignKey("subjects.subject_id", ondelete="CASCADE"), index=True
    )


class BookSubject(Base):
    """What a book is about, the most telling subject at position 0."""

    __tablename__ = "book_subjects"
    __table_args__ = _CLUSTERED

    book_id: Mapped[int] = mapped_column(ForeignKey("books.book_id", ondelete="CASCADE"), primary_key=True)
    subject_id: Mapped[int] = mapped_column(
        ForeignKey("subjects.subject_id", ondelete="CASCADE"), primary_key=True, index=True
    )
    position: Mapped[int] = mapped_column(Integer)


class UserSubject(Base):
    """A reader's favourite subjects, at the last import or as they chose them, the dearest at position 0."""

    __tablename__ = "user_subjects"
    __table_args__ = _CLUSTERED

    user_id: Mapped[int] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), primary_key=True)
    subject_id: Mapped[int] = mapped_column(
        ForeignKey("subjects.subject_id", ondelete="CASCADE"), primary_key=True, index=True
    )
    position: Mapped[int] = mapped_column(Integer)


class UserAuthor(Base):
    """A reader's favourite authors, as they chose them, the dearest at position 0."""

    __tablename__ = "user_authors"
    __table_args__ = _CLUSTERED

    user_id: Mapped[int] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), primary_key=True)
    author_id: Mapped[int] = mapped_column(
        ForeignKey("authors.author_id", ondelete="CASCADE"), primary_key=True, index=True
    )
    position: Mapped[int] = mapped_column(Integer)


class Rating(Base):
    """That a reader has read a book, and how they liked it."""

    __tablename__ = "ratings"
    __table_args__ = (CheckConstraint("rating BETWEEN 1 AND 10", name="range"), _CLUSTERED)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), primary_key=True)
    book_id: Mapped[int] = mapped_column(
        ForeignKey("books.book_id", ondelete="CASCADE"), primary_key=True, index=True
    )
    rating: Mapped[float | None]
    """1 to 10; null when the reader only used the book (an implicit rating)."""
    rated_at: Mapped[int | None] = mapped_column(BigInteger)
    """Seconds since 1970 UTC; null in dumps that do not tell."""
    given_here: Mapped[bool | None]
    """Whether it was given in the app, not by a dump; null before 0.3.0, when a dated one counts as given."""
    created_at: Mapped[int | None] = mapped_column(BigInteger)
    """When it first came into the catalog, seconds since 1970 UTC; null of those from before 0.4.0."""


class WithdrawnRating(Base):
    """That a reader took a rating back here: dumps do not bring it again."""

    __tablename__ = "withdrawn_ratings"
    __table_args__ = _CLUSTERED

    user_id: Mapped[int] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), primary_key=True)
    book_id: Mapped[int] = mapped_column(
        ForeignKey("books.book_id", ondelete="CASCADE"), primary_key=True, index=True
    )
    """As it was then: the book may have an heir by now."""
    withdrawn_at: Mapped[int] = mapped_column(BigInteger)
    """Seconds since 1970 UTC."""


class Event(Base):
    """Something a reader did, here or in a dump."""

    __tablename__ = "events"
    __table_args__ = (Index(None, "user_id", "kind"), Index(None, "user_id", "list_id"), _MYSQL)

    event_id: Mapped[int] = mapped_column(_BIG_INTEGER, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"))
    book_id: Mapped[int] = mapped_column(ForeignKey("books.book_id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    at: Mapped[int | None] = mapped_column(BigInteger)
    """Seconds since 1970 UTC; null in dumps that do not tell."""
    created_at: Mapped[int | None] = mapped_column(BigInteger)
    """When it came into the catalog, seconds since 1970 UTC; null of those from before 0.4.0."""
    list_id: Mapped[str | None] = mapped_column(String(LIST_ID_LENGTH))
    """The list in which the reader met the book."""
    surface: Mapped[str | None] = mapped_column(String(40))
    """Where that list was shown, in the words of whoever shows it."""
    position: Mapped[int | None] = mapped_column(Integer)
    """The book's place in the list, the first is 1."""


class WithdrawnEvent(Base):
    """That a reader took back a dismissal, or a book off the shelf: dumps do not bring it again."""

    __tablename__ = "withdrawn_events"
    __table_args__ = _CLUSTERED

    user_id: Mapped[int] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), primary_key=True)
    book_id: Mapped[int] = mapped_column(
        ForeignKey("books.book_id", ondelete="CASCADE"), primary_key=True, index=True
    )
    """As it was then: the book may have an heir by now."""
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    withdrawn_at: Mapped[int] = mapped_column(BigInteger)
    """Seconds since 1970 UTC."""


class Merge(Base):
    """That a book became another one's edition; the tables below keep what then changed hands, to undo it."""

    __tablename__ = "merges"
    __table_args__ = _CLUSTERED

    merge_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    book_id: Mapped[int] = mapped_column(ForeignKey("books.book_id"), index=True)
    heir_id: Mapped[int] = mapped_column(ForeignKey("books.book_id"), index=True)
    merged_at: Mapped[int] = mapped_column(BigInteger)
    """Seconds since 1970 UTC."""


class MergedBook(Base):
    """A book whose heir the merged one had been."""

    __tablename__ = "merged_books"
    __table_args__ = _CLUSTERED

    merge_id: Mapped[int] = mapped_column(ForeignKey("merges.merge_id"), primary_key=True)
    book_id: Mapped[int] = mapped_column(Integer, primary_key=True)


class MergedEdition(Base):
    """An edition of the merged book."""

    __tablename__ = "merged_editions"
    __table_args__ = _CLUSTERED

    merge_id: Mapped[int] = mapped_column(ForeignKey("merges.merge_id"), primary_key=True)
    isbn13: Mapped[str] = mapped_column(String(13), primary_key=True)


class MergedEvent(Base):
    """An event of the merged book."""

    __tablename__ = "merged_events"
    __table_args__ = _CLUSTERED

    merge_id: Mapped[int] = mapped_column(ForeignKey("merges.merge_id"), primary_key=True)
    event_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)


class MergedSubject(Base):
    """A subject of the merged book."""

    __tablename__ = "merged_subjects"
    __table_args__ = _CLUSTERED

    merge_id: Mapped[int] = mapped_column(ForeignKey("merges.merge_id"), primary_key=True)
    subject_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    position: Mapped[int] = mapped_column(Integer)


class MergedRating(Base):
    """A rating of the merged book, or one of the heir by a reader who had rated both."""

    __tablename__ = "merged_ratings"
    __table_args__ = _CLUSTERED

    merge_id: Mapped[int] = mapped_column(ForeignKey("merges.merge_id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    book_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    rating: Mapped[float | None]
    rated_at: Mapped[int | None] = mapped_column(BigInteger)
    given_here: Mapped[bool | None]
    created_at: Mapped[int | None] = mapped_column(BigInteger)


class StoredReport(Base):
    """What an import did."""

    __tablename__ = "import_reports"

    report_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    source: Mapped[str] = mapped_column(String(SOURCE_LENGTH))
    started_at: Mapped[int] = mapped_column(BigInteger)
    """Seconds since 1970 UTC."""
    report: Mapped[str] = mapped_column(Text)
    """An `ImportReport` as JSON."""


class Job(Base):
    """Something that takes longer than a request, for the worker to do."""

    __tablename__ = "jobs"
    __table_args__ = (Index(None, "state", "due_at"), _MYSQL)

    job_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(10))
    """One of `JobState`."""
    params: Mapped[str] = mapped_column(Text)
    """JSON."""
    due_at: Mapped[float]
    """Not to be begun before; this and the times below in seconds since 1970 UTC."""
    queued_at: Mapped[float]
    started_at: Mapped[float | None]
    alive_at: Mapped[float | None]
    """When its worker last said that it runs."""
    finished_at: Mapped[float | None]
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    """How often it was begun."""
    outcome: Mapped[str | None] = mapped_column(Text)
    """What came of it, or why it failed, in a sentence."""


class Account(Base):
    """How a reader signs in; their e-mail and name are here alone, which no export and no training reads."""

    __tablename__ = "accounts"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.user_id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    email: Mapped[str] = mapped_column(String(EMAIL_LENGTH), unique=True)
    """In small letters."""
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    """Argon2's, with its parameters and salt."""
    role: Mapped[str] = mapped_column(String(10), default=Role.READER, server_default=Role.READER)
    """One of `Role`."""
    created_at: Mapped[int] = mapped_column(BigInteger)
    """This and the times below in seconds since 1970 UTC."""
    password_changed_at: Mapped[int | None] = mapped_column(BigInteger)
    profile_changed_at: Mapped[int | None] = mapped_column(BigInteger)
    """When the reader last told of themselves: from then on no import changes that."""


class TokenFamily(Base):
    """One log-in: the refresh tokens that came of each other, of which the newest alone is good."""

    __tablename__ = "token_families"

    family_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    """Random."""
    user_id: Mapped[int] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), index=True)
    current_hash: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the newest token."""
    former_hash: Mapped[str | None] = mapped_column(String(64))
    """SHA-256 of the one before, which for a few seconds is exchanged for the newest once more."""
    salt: Mapped[str | None] = mapped_column(String(32))
    """With it the newest was made of the one before."""
    created_at: Mapped[int] = mapped_column(BigInteger)
    """This and the times below in seconds since 1970 UTC."""
    expires_at: Mapped[int] = mapped_column(BigInteger)
    used_at: Mapped[int] = mapped_column(BigInteger)
    """When the newest token was handed out."""
    revoked_at: Mapped[int | None] = mapped_column(BigInteger)


class BroughtUser(Base):
    """That a service brought a reader, under an id of its own: sent again, it brings the same one."""

    __tablename__ = "brought_users"

    external_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of that id, which may be an e-mail."""
    user_id: Mapped[int] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), index=True)
    form_hash: Mapped[str] = mapped_column(String(64))
    """SHA-256 of what it told of the reader."""


class OneTimeToken(Base):
    """A token that is good once, by its SHA-256."""

    __tablename__ = "one_time_tokens"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str] = mapped_column(String(10))
    """One of `Purpose`."""
    expires_at: Mapped[int] = mapped_column(BigInteger)
    """This and the time below in seconds since 1970 UTC."""
    used_at: Mapped[int | None] = mapped_column(BigInteger)


class ApiKey(Base):
    """What a service shows to be known, by its SHA-256."""

    __tablename__ = "api_keys"

    key_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(KEY_NAME_LENGTH), unique=True)
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[str] = mapped_column(String(200))
    """With a space between two."""
    rate_per_minute: Mapped[int | None] = mapped_column(Integer)
    """Requests that it may make; null: as the settings say."""
    created_at: Mapped[int] = mapped_column(BigInteger)
    """This and the times below in seconds since 1970 UTC."""
    used_at: Mapped[int | None] = mapped_column(BigInteger)
    revoked_at: Mapped[int | None] = mapped_column(BigInteger)


class AuditEntry(Base):
    """Something that an admin did, or an operator by command."""

    __tablename__ = "audit_log"

    entry_id: Mapped[int] = mapped_column(_BIG_INTEGER, primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger)
    """Seconds since 1970 UTC."""
    actor: Mapped[str] = mapped_column(String(100))
    """`user 12`, `key shop` or `cli`."""
    action: Mapped[str] = mapped_column(String(40))
    target: Mapped[str] = mapped_column(String(100))
    detail: Mapped[str] = mapped_column(Text)
    """JSON."""


class LibraryRow(Base):
    """A row of a library that a reader brought, of which it is unsure which book it is: theirs to tell."""

    __tablename__ = "library_rows"
    __table_args__ = (UniqueConstraint("user_id", "row_key"), _MYSQL)

    row_id: Mapped[int] = mapped_column(_BIG_INTEGER, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"))
    row_key: Mapped[str] = mapped_column(String(32))
    """The same whenever the reader brings the row again."""
    title: Mapped[str] = mapped_column(String(TITLE_LENGTH))
    author: Mapped[str] = mapped_column(String(NAME_LENGTH))
    isbn: Mapped[str | None] = mapped_column(String(13))
    rating: Mapped[float | None]
    """1 to 10."""
    read_at: Mapped[int | None] = mapped_column(BigInteger)
    """This and the times below in seconds since 1970 UTC."""
    shelf: Mapped[str] = mapped_column(String(20))
    candidates: Mapped[str] = mapped_column(Text)
    """JSON: the books that it may be, by their ids, each with how sure that is."""
    created_at: Mapped[int] = mapped_column(BigInteger)
    settled_at: Mapped[int | None] = mapped_column(BigInteger)
    """When the reader told; null: they have not."""
    book_id: Mapped[int | None] = mapped_column(ForeignKey("books.book_id", ondelete="CASCADE"), index=True)
    """What they told; null: none of the catalog's books."""
