"""What admins send and get."""

from typing import Annotated, Final, Literal, Self, cast

from pydantic import AwareDatetime, ConfigDict, Field, JsonValue, model_validator

from catalog.editing.fields import BookFields
from catalog.keys import KEY_NAME
from catalog.tables import EMAIL_LENGTH, JobState, Role
from contracts.shell import BookId
from gateway.accounts.callers import Scope
from gateway.schemas import Answer, Body, ModelInfo

VERSION = r"^\d{8}T\d{6}Z-[0-9a-f]{6}$"
_SEGMENT: Final = r"[A-Za-z0-9_][A-Za-z0-9._-]*"

VersionName = Annotated[str, Field(pattern=VERSION, examples=["20261120T154312Z-5f2c1a"])]
_WITHOUT_NUL: Final = r"^[^\x00]*$"
"""PostgreSQL stores none."""
Text = Annotated[str, Field(min_length=1, max_length=10_000, pattern=_WITHOUT_NUL)]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=_WITHOUT_NUL)]
Isbn = Annotated[str, Field(min_length=1, max_length=40, examples=["9780441478125"])]
BelowImports = Annotated[
    str,
    Field(
        pattern=rf"^{_SEGMENT}(/{_SEGMENT})*$",
        max_length=200,
        description="Below the folder `imports` of the worker's home.",
        examples=["shop"],
    ),
]
"""No part begins with a dot, so none leads upwards; the worker looks where links lead."""
Why = Annotated[
    str | None,
    Field(max_length=500, description="The reason, kept in the audit log.", examples=["worse lists"]),
]


class Line(Answer):
    """Base of what is made of a row."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class BookLine(Line):
    """A book in a list, also one that readers do not see."""

    book_id: int = Field(examples=[241])
    source: str = Field(examples=["book-crossing"])
    external_id: str = Field(examples=["0441478123"])
    title: str = Field(examples=["The Left Hand of Darkness"])
    year: int | None = Field(examples=[1969])
    hidden: str | None = Field(description="Why readers do not see it.", examples=["withdrawn"])
    part_of: int | None = Field(description="The book that it was merged into.", examples=[None])


class BookLines(Answer):
    """A page of books."""

    total: int = Field(examples=[214])
    items: list[BookLine]


class StoredBook(Line):
    """All that is stored of a book."""

    book_id: int = Field(examples=[241])
    source: str = Field(examples=["book-crossing"])
    external_id: str = Field(examples=["0441478123"])
    title: str = Field(examples=["The Left Hand of Darkness"])
    authors: list[str] = Field(examples=[["Ursula K. Le Guin"]])
    year: int | None = Field(examples=[1969])
    language: str | None = Field(examples=["eng"])
    description: str | None = Field(examples=["An envoy learns a world without fixed gender."])
    n_pages: int | None = Field(examples=[286])
    subjects: list[str] = Field(examples=[["Science fiction"]])
    isbns: list[str] = Field(examples=[["9780441478125"]])
    n_ratings: int = Field(examples=[312])
    hidden: str | None = Field(description="Why readers do not see it.", examples=[None])
    part_of: int | None = Field(description="The book that it was merged into.", examples=[None])
    settled: list[str] = Field(description="What imports leave as it is.", examples=[["title"]])


class _Fields(Body):
    """What a book may have; null: unknown."""

    authors: list[Name] = Field(default=[], max_length=100, examples=[["Ursula K. Le Guin"]])
    year: int | None = Field(default=None, description="Before Christ below 0.", examples=[1969])
    language: str | None = Field(
        default=None, max_length=3, description="ISO 639-2/B code.", examples=["eng"]
    )
    description: Text | None = Field(default=None, examples=["An envoy learns a world without fixed gender."])
    n_pages: int | None = Field(default=None, examples=[286])
    subjects: list[Name] = Field(
        default=[], max_length=100, description="The most telling first.", examples=[["Science fiction"]]
    )

    def given(self) -> BookFields:
        """What the client has written, and nothing else; a book without a title there is none."""
        given = self.model_dump(exclude_unset=True, exclude={"isbns", "even_if_known"})
        return cast(
            "BookFields", {name: value for name, value in given.items() if (name, value) != ("title", None)}
        )


class NewBook(_Fields):
    """A book to add."""

    title: str = Field(min_length=1, max_length=500, pattern=_WITHOUT_NUL, examples=["A New Book of Ours"])
    isbns: list[Isbn] = Field(default=[], max_length=100, examples=[["9780306406157"]])
    even_if_known: bool = Field(
        default=False, description="Though there is a book of this title and first author.", examples=[False]
    )


class BookChange(_Fields):
    """What is to be changed of a book; what is not named stays."""

    title: str | None = Field(
        default=None,
        min_length=1,
        max_length=500,
        pattern=_WITHOUT_NUL,
        examples=["The Left Hand of Darkness"],
    )


class IntoBook(Body):
    """The book that another one becomes a part of."""

    into: BookId = Field(examples=[242])


class NewEdition(Body):
    """An edition of a book."""

    isbn: Isbn
    year: int | None = Field(default=None, ge=-9999, le=9999, examples=[1987])
    n_pages: int | None = Field(default=None, ge=1, le=100_000, examples=[304])


class OtherBook(Body):
    """The book that an edition is one of."""

    book_id: BookId = Field(examples=[242])


class NewBookId(Answer):
    """A book that was added."""

    book_id: int = Field(examples=[4711])


class FormerBook(Answer):
    """The book that something was a part of."""

    former: int = Field(description="Its `book_id`.", examples=[241])


class NewName(Body):
    """How an author is to be spelled."""

    name: Name = Field(examples=["Ursula K. Le Guin"])


class IntoAuthor(Body):
    """The author who has written what another one has."""

    into: BookId = Field(examples=[18])


class SubjectNamed(Body):
    """A subject, in the body since its name may hold anything."""

    name: Name = Field(examples=["Science fiction"])


class SubjectRenamed(SubjectNamed):
    """A subject and how it is to be called."""

    new_name: Name = Field(examples=["Speculative fiction"])


class SubjectMerged(SubjectNamed):
    """A subject and the one that it becomes a part of."""

    into: Name = Field(examples=["Fantasy"])


class WithdrawnSubjects(Answer):
    """Subjects that no book is about any more."""

    items: list[str] = Field(description="As imports compare them: in small letters.", examples=[["to read"]])


class VersionLine(Answer):
    """A version of the artifact store."""

    version: VersionName
    created_at: AwareDatetime = Field(examples=["2026-11-20T15:43:12Z"])
    release: str = Field(description="The release of bookmesh that made it.", examples=["0.8.0"])
    refresh_of: str | None = Field(description="The trained version whose models it has.", examples=[None])
    passed: bool = Field(description="The verdict of the gate.")
    failed_checks: list[str] = Field(examples=[[]])
    is_current: bool = Field(description="Whether the pointer names it.")


class VersionLines(Answer):
    """All versions that are kept, the newest first."""

    items: list[VersionLine]


class StoredVersion(ModelInfo):
    """All that is known of a version."""

    is_current: bool = Field(description="Whether the pointer names it.")


class Promotion(Body):
    """Which version is to answer."""

    version: VersionName
    force: bool = Field(default=False, description="Also if the gate refused it.", examples=[False])
    why: Why = None


class Rollback(Body):
    """Which version is not to answer any more."""

    from_version: VersionName = Field(
        description="If by then neither this one nor a refresh of the same models is current, nothing is "
        "done: so a wish that is sent twice leads back once."
    )
    why: Why = None


class Wanted(Body):
    """Why something is wanted."""

    why: Why = None


class JobInfo(Line):
    """Something that the worker does."""

    job_id: int = Field(examples=[17])
    kind: str = Field(examples=["refresh"])
    params: dict[str, JsonValue] = Field(examples=[{}])
    state: JobState
    queued_at: float = Field(
        description="This and the other times in seconds since 1970 UTC.", examples=[1795270000.0]
    )
    due_at: float = Field(description="It is not begun before.", examples=[1795270000.5])
    started_at: float | None = Field(examples=[1795270000.6])
    finished_at: float | None = Field(examples=[1795270002.1])
    attempts: int = Field(description="How often it was begun.", examples=[1])
    outcome: str | None = Field(
        description="What came of it, or why it failed, in a sentence.",
        examples=["the current version has the books of now"],
    )


class JobList(Answer):
    """A page of jobs, the newest first."""

    total: int = Field(examples=[17])
    items: list[JobInfo]


class Person(Line):
    """A reader, and how they sign in: null without an account."""

    user_id: int = Field(examples=[142])
    source: str = Field(examples=["book-crossing"])
    external_id: str = Field(description="Their id there.", examples=["276725"])
    email: str | None = Field(examples=["ada@example.org"])
    name: str | None = Field(examples=["Ada"])
    role: Role | None
    signed_up_at: int | None = Field(description="Seconds since 1970 UTC.", examples=[1795270000])


class PersonDetail(Person):
    """A reader with how much there is of them."""

    n_ratings: int = Field(examples=[17])
    n_events: int = Field(examples=[120])
    n_log_ins: int = Field(description="Those that hold now.", examples=[2])


class People(Answer):
    """A page of readers, by their ids."""

    total: int = Field(examples=[278858])
    items: list[Person]


class FindPerson(Body):
    """Whom to look for, in the body: a URL would stand in logs."""

    email: str = Field(min_length=3, max_length=EMAIL_LENGTH, examples=["ada@example.org"])


class NewRole(Body):
    """What somebody may do from now on."""

    role: Literal["reader", "admin"] = Field(examples=["reader"])


class ClaimLink(Answer):
    """What gives an imported reader an account."""

    link: str = Field(
        description="Good once, for a week: whoever has it gets the account. Without a page, the token.",
        examples=["https://books.example/account#claim=pW0u1…"],
    )


class KeyLine(Answer):
    """A key, without what it is."""

    name: str = Field(examples=["shop"])
    scopes: list[str] = Field(examples=[["readers"]])
    per_minute: int | None = Field(description="Requests that it may make; null: as set.", examples=[None])
    created_at: int = Field(description="Seconds since 1970 UTC.", examples=[1795270000])
    used_at: int | None = Field(description="A minute or so behind.", examples=[1795270042])
    revoked_at: int | None = Field(examples=[None])


class KeyLines(Answer):
    """All keys there are and were, the oldest first."""

    items: list[KeyLine]


class NewKey(Body):
    """A key for a service."""

    name: str = Field(pattern=f"^{KEY_NAME}$", examples=["shop"])
    scopes: Annotated[list[Annotated[Scope, Field(strict=False)]], Field(min_length=1, max_length=10)] = (
        Field(examples=[["readers"]])
    )
    per_minute: int | None = Field(default=None, ge=1, le=1_000_000_000, examples=[None])


class CreatedKey(Answer):
    """A key, this once."""

    name: str = Field(examples=["shop"])
    key: str = Field(description="Nobody can read it again.", examples=["bmk_ZpXm…"])


class _Import(Body):
    folder: BelowImports


class BookCrossingImport(_Import):
    """The Book-Crossing dump, with Open Library's or without."""

    source: Literal["book-crossing"]
    open_library: BelowImports | None = None
    overrides: BelowImports | None = None


class PlainImport(_Import):
    """A dump that needs nothing else."""

    source: Literal["goodbooks", "movielens"]


class CsvImport(_Import):
    """Anybody's files, as a mapping describes them, or as what is named here."""

    source: Literal["csv"]
    mapping: BelowImports | None = None
    name: str | None = Field(default=None, pattern=r"^[a-z0-9-]{1,40}$", examples=["shop"])
    scale: str | None = Field(default=None, max_length=20, examples=["1-5"])
    separator: str | None = Field(default=None, max_length=3, examples=[";"])
    encoding: str | None = Field(default=None, max_length=20, examples=["utf-8"])

    @model_validator(mode="after")
    def _check_told_once(self) -> Self:
        if self.mapping and any((self.name, self.scale, self.separator, self.encoding)):
            raise ValueError("a mapping tells name, scale, separator and encoding: name it alone")
        return self


Import = Annotated[BookCrossingImport | PlainImport | CsvImport, Field(discriminator="source")]


class FileRows(Answer):
    """What became of the rows of a file."""

    name: str = Field(examples=["BX-Books.csv"])
    n_read: int = Field(examples=[271379])
    n_kept: int = Field(examples=[271360])
    dropped: dict[str, int] = Field(description="Rows left out, by reason.", examples=[{"no title": 19}])
    lines: dict[str, list[int]] = Field(
        description="The first lines left out, by reason.", examples=[{"no title": [6452, 43667]}]
    )


class Changed(Answer):
    """What became of one kind of rows."""

    new: int = Field(examples=[12])
    changed: int = Field(examples=[3])
    unchanged: int = Field(examples=[271345])


class ReportLine(Answer):
    """An import that was done."""

    report_id: int = Field(examples=[3])
    source: str = Field(examples=["book-crossing"])
    started_at: AwareDatetime = Field(examples=["2026-11-20T15:43:12Z"])
    seconds: float = Field(examples=[41.5])


class ReportLines(Answer):
    """A page of imports, the newest first."""

    total: int = Field(examples=[3])
    items: list[ReportLine]


class Report(ReportLine):
    """All that an import did."""

    files: list[FileRows]
    repairs: dict[str, int] = Field(
        description="Values mended or left unknown, by kind.", examples=[{"year unknown": 4619}]
    )
    totals: dict[str, int] = Field(
        description="Rows of this source after it, and what became of them.", examples=[{"books": 250000}]
    )
    changes: dict[str, Changed]


class AuditEntry(Line):
    """Something that was done."""

    entry_id: int = Field(examples=[12])
    at: int = Field(description="Seconds since 1970 UTC.", examples=[1795270000])
    actor: str = Field(description="`user` and an id, or `cli`.", examples=["user 1000000001"])
    action: str = Field(examples=["withdraw-book"])
    target: str = Field(examples=["book 241"])
    detail: dict[str, JsonValue] = Field(examples=[{}])


class AuditPage(Answer):
    """A page of the audit log, the newest first."""

    total: int = Field(examples=[12])
    items: list[AuditEntry]
