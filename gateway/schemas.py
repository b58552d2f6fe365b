"""What clients send and get: the types behind every route, with an example of each."""

import re
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue
from pydantic_core import PydanticCustomError

from catalog.countries import parse_country
from catalog.tables import LIST_ID_LENGTH, NAME_LENGTH
from contracts.shell import MAX_BOOKS, BookId, Weight
from contracts.similarity import SimilarMode

MAX_K = 500
MAX_LIKED = MAX_BOOKS
MAX_SUBJECTS = 20
MAX_EVENTS = 500
_VERSION = "20261120T154312Z-5f2c1a"
LATEST_S = 4_102_444_800
"""The year 2100, so that a time in milliseconds is refused."""
LIST_MODES = (
    *("collaborative", "subjects", "popular"),
    *get_args(SimilarMode),
    *("keyword", "semantic", "none"),
)


def _written_as(form: re.Pattern[str], what: str) -> BeforeValidator:
    """For numbers in a URL, after their bounds: Python would also read `+1`, `1_0`, ` 1`, `01` and `٣`."""

    def check(value: object) -> object:
        if isinstance(value, str) and not form.fullmatch(value):
            raise PydanticCustomError("number_form", "{what} in plain digits, as in JSON", {"what": what})
        return value

    return BeforeValidator(check)


Whole = _written_as(re.compile(r"0|-?[1-9][0-9]*"), "Write a whole number")
Number = _written_as(re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?"), "Write a number")
K = Annotated[int, Field(ge=1, le=MAX_K, description="How many books.", examples=[10]), Whole]
Rating = Annotated[float, Field(ge=1, le=10)]
_WORD = r"^[\x21-\x7e]*$"
MetListId = Annotated[str, Field(min_length=1, max_length=LIST_ID_LENGTH, pattern=_WORD)]
SubjectName = Annotated[str, Field(min_length=1, max_length=200)]


AuthorName = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH)]
AgeGroup = Literal["5-12", "13-17", "18-24", "25-34", "35-44", "45-54", "55-64", "65-100"]
Gender = Literal["female", "male", "non-binary", "other"]


def _check_country(text: str) -> str:
    country = parse_country(text)
    if country is None:
        raise PydanticCustomError("country", "No such country; write its English name")
    return country


Country = Annotated[str, Field(max_length=60, examples=["Portugal"]), AfterValidator(_check_country)]

UNKNOWN_AUTHOR = "Unknown Author"


def name_authors(names: list[str]) -> list[str]:
    """Authors as they are shown."""
    return names or [UNKNOWN_AUTHOR]


AuthorNames = Annotated[list[str], AfterValidator(name_authors)]
"""As readers see them; inside, a book without an author has none, so that no author limit counts it."""


class Body(BaseModel):
    """Base of what clients send."""

    # Strict, so that `true` is no rating of 1 and "8" no number.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Answer(BaseModel):
    """Base of what they get."""

    model_config = ConfigDict(frozen=True)


ListId = Annotated[
    str,
    Field(
        description="Names this list: the same for the same version, reader state and parameters, another "
        "after a rating. Events name it, to say in which list a book was seen.",
        examples=["similar.hybrid.5f0c7d3a9be1428cb6d30f1768aa24de"],
    ),
]


class ListedBook(Answer):
    """A book on a page."""

    book_id: int = Field(examples=[241])
    title: str = Field(examples=["The Left Hand of Darkness"])
    authors: AuthorNames = Field(examples=[["Ursula K. Le Guin"]])
    year: int | None = Field(description="Year of first publication.", examples=[1969])
    n_pages: int | None = Field(description="Pages, the median of its editions.", examples=[286])
    isbns: list[str] = Field(description="ISBN-13s of its editions.", examples=[["9789999912082"]])
    main_subject: str | None = Field(examples=["Science fiction"])


class BookItem(ListedBook):
    """A book in a list."""

    score: float = Field(
        description="Higher is better, without bounds, comparable within one list only; never increases. "
        "What a reader's ratings speak against may have less than 0.",
        examples=[0.87],
    )


class BookList(Answer):
    """Books, best first."""

    list_id: ListId
    version: str = Field(description="The artifact version that answered.", examples=[_VERSION])
    mode: str = Field(
        description="How the books were really found; `none` if there are none.",
        examples=["collaborative"],
        json_schema_extra={"enum": list(LIST_MODES)},
    )
    degraded: list[str] = Field(
        description="Dependencies whose loss changed this answer; empty when all is well.", examples=[[]]
    )
    items: list[BookItem]


class BookPage(Answer):
    """A page of books."""

    list_id: ListId
    version: str = Field(examples=[_VERSION])
    degraded: list[str] = Field(examples=[[]])
    total: int = Field(description="Books on all pages.", examples=[214])
    items: list[ListedBook]


class AuthorItem(Answer):
    """An author."""

    author_id: int = Field(examples=[17])
    name: str = Field(examples=["Ursula K. Le Guin"])
    n_books: int = Field(description="Books of theirs that are shown.", examples=[12])


class AuthorList(Answer):
    """A page of authors, by name."""

    total: int = Field(description="Authors that match, on all pages.", examples=[3])
    items: list[AuthorItem]


class AuthorsOfBook(Answer):
    """Who wrote a book."""

    book_id: int = Field(examples=[241])
    items: list[AuthorItem]


class AuthorDetail(BookPage):
    """An author, with a page of their books."""

    author_id: int = Field(examples=[17])
    name: str = Field(examples=["Ursula K. Le Guin"])


class BookDetail(Answer):
    """All that is known of a book."""

    version: str = Field(examples=[_VERSION])
    degraded: list[str] = Field(examples=[[]])
    book_id: int = Field(examples=[241])
    title: str = Field(examples=["The Left Hand of Darkness"])
    authors: AuthorNames = Field(examples=[["Ursula K. Le Guin"]])
    year: int | None = Field(examples=[1969])
    n_pages: int | None = Field(description="Pages, the median of its editions.", examples=[286])
    language: str | None = Field(description="ISO 639-2/B code.", examples=["eng"])
    isbns: list[str] = Field(examples=[["9789999912082"]])
    main_subject: str | None = Field(examples=["Science fiction"])
    subjects: list[str] = Field(examples=[["Science fiction", "Gender"]])
    description: str | None = Field(examples=["An envoy learns a world without fixed gender."])
    n_ratings: int = Field(description="Ratings that the version was trained on.", examples=[312])
    mean_rating: float | None = Field(
        description="Mean of the ratings, 1 to 10, drawn towards the overall mean where they are few.",
        examples=[8.1],
    )


class LikedBook(Body):
    """A book that the reader has read."""

    book_id: BookId = Field(examples=[241])
    rating: Rating | None = Field(default=None, description="1 to 10; null: read, not judged.", examples=[9])


class RecommendationsRequest(Body):
    """Who to recommend for; with `liked`, from these books on the spot, else from what else is told."""

    liked: Annotated[list[LikedBook], Field(max_length=MAX_LIKED)] = []
    subjects: Annotated[list[SubjectName], Field(max_length=MAX_SUBJECTS)] = Field(
        default=[], description="The dearest first, in any case.", examples=[["Science fiction"]]
    )
    authors: Annotated[list[AuthorName], Field(max_length=MAX_SUBJECTS)] = Field(
        default=[],
        description="As their books name them, the dearest first.",
        examples=[["Ursula K. Le Guin"]],
    )
    age_group: AgeGroup | None = Field(default=None, examples=["25-34"])
    gender: Gender | None = Field(default=None, examples=["female"])
    occupation: Annotated[str, Field(min_length=1, max_length=40)] | None = Field(
        default=None, description="As imported readers have it, in any case.", examples=["librarian"]
    )
    country: Country | None = Field(default=None, examples=["Portugal"])
    k: K = 10
    popularity_weight: Weight | None = Field(
        default=None, description="Share of popularity in the score; null: as tuned.", examples=[0.3]
    )


class Reason(Answer):
    """A book of the reader's own, not a disliked one, that speaks for the recommended one."""

    book_id: int = Field(examples=[243])
    title: str = Field(examples=["The Dispossessed"])
    authors: AuthorNames = Field(examples=[["Ursula K. Le Guin"]])
    rating: float | None = Field(examples=[9])
    share: float = Field(description="Its share of what speaks for the book, 0 to 1.", examples=[0.42])


class Explanation(Answer):
    """Why a book suits a reader."""

    version: str = Field(examples=[_VERSION])
    degraded: list[str] = Field(examples=[[]])
    user_id: int = Field(examples=[142])
    book_id: int = Field(examples=[241])
    because: list[Reason] = Field(description="The strongest first; empty if nothing the reader read speaks.")


class RatingRequest(Body):
    """A reader's judgement of a book."""

    rating: Rating | None = Field(description="1 to 10; null: read, not judged.", examples=[8])


class StoredRating(Answer):
    """A rating as it is stored now."""

    user_id: int = Field(examples=[142])
    book_id: int = Field(examples=[241])
    rating: float | None = Field(examples=[8])


class RatedBook(Answer):
    """A book of a reader's history."""

    book_id: int = Field(examples=[241])
    title: str = Field(examples=["The Left Hand of Darkness"])
    authors: AuthorNames = Field(examples=[["Ursula K. Le Guin"]])
    year: int | None = Field(examples=[1969])
    isbns: list[str] = Field(examples=[["9789999912082"]])
    main_subject: str | None = Field(examples=["Science fiction"])
    rating: float | None = Field(examples=[8])


class RatingList(Answer):
    """A page of a reader's history, newest first."""

    user_id: int = Field(examples=[142])
    total: int = Field(description="Books in the whole history.", examples=[17])
    items: list[RatedBook]


class MarkedItem(Answer):
    """A book that a reader has dismissed, or wants to read."""

    book_id: int = Field(examples=[241])
    title: str = Field(examples=["The Left Hand of Darkness"])
    authors: AuthorNames = Field(examples=[["Ursula K. Le Guin"]])
    year: int | None = Field(examples=[1969])
    isbns: list[str] = Field(examples=[["9789999912082"]])
    main_subject: str | None = Field(examples=["Science fiction"])
    at: int = Field(description="Seconds since 1970 UTC; 0 if no dump told.", examples=[1795270000])


class MarkedList(Answer):
    """A page of such books, newest first."""

    user_id: int = Field(examples=[142])
    total: int = Field(description="Books on all pages.", examples=[17])
    items: list[MarkedItem]


class _Event(Body):
    """What every event tells."""

    book_id: BookId = Field(examples=[241])
    at: int = Field(
        ge=0,
        le=LATEST_S,
        description="When, in seconds since 1970 UTC, by the clock of whoever tells.",
        examples=[1795270000],
    )
    surface: Annotated[str, Field(min_length=1, max_length=40, pattern=_WORD)] | None = Field(
        default=None, description="Where the list was shown, in your own words.", examples=["home"]
    )
    position: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        default=None, description="The book's place in the list, the first is 1.", examples=[3]
    )


class Impression(_Event):
    """A book of a list was shown; it says nothing of what the reader likes."""

    kind: Literal["impression"]
    list_id: MetListId = Field(description="The list's own `list_id`.", examples=["5f2c1a90"])


class Action(_Event):
    """The reader did something with a book: their lists follow it."""

    kind: Literal["view", "click", "like", "to_read", "dismiss"]
    list_id: MetListId | None = Field(
        default=None, description="The list in which they met it.", examples=["5f2c1a90"]
    )


class EventBatch(Body):
    """What one reader did, in any order."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "events": [
                        {"kind": "impression", "book_id": 241, "at": 1795270000, "list_id": "5f2c1a90"},
                        {"kind": "click", "book_id": 241, "at": 1795270042, "list_id": "5f2c1a90"},
                    ]
                }
            ]
        }
    )

    user_id: BookId | None = Field(
        default=None, description="The reader, if a service tells of one; else whose token it is."
    )
    events: Annotated[
        list[Annotated[Impression | Action, Field(discriminator="kind")]],
        Field(min_length=1, max_length=MAX_EVENTS),
    ]


class EventsStored(Answer):
    """What became of a batch."""

    n_new: int = Field(examples=[12])
    n_known: int = Field(description="Events that were told before, or twice.", examples=[3])
    unknown: list[int] = Field(
        description="Books that the catalog does not have or show: nothing is stored of them.", examples=[[]]
    )


class SubjectItem(Answer):
    """A subject and how many books it has."""

    name: str = Field(examples=["Science fiction"])
    n_books: int = Field(examples=[214])


class SubjectList(Answer):
    """A page of subjects, those of most books first."""

    total: int = Field(description="Subjects that match, on all pages.", examples=[831])
    items: list[SubjectItem]


class ServerHealth(Answer):
    """One model server as the gateway sees it."""

    live: bool = Field(description="Whether it told lately what it holds.")
    breaker: Literal["closed", "open", "half_open"] = Field(
        description="Whether the server is called; `open`: left alone for a while."
    )
    version: str | None = Field(description="The version that its pointer names.", examples=[_VERSION])
    held: list[str] = Field(description="Every version that it can answer from.", examples=[[_VERSION]])
    error: str | None = Field(description="Why it did not answer last time.", examples=[None])


class Health(Answer):
    """State of the gateway and of everything that it depends on."""

    status: Literal["ok", "degraded"]
    version: str = Field(description="The version that requests are answered from.", examples=[_VERSION])
    servers: dict[str, ServerHealth] = Field(description="By name: `als`, `metadata` and the others.")
    catalog: bool = Field(description="Whether the SQL catalog answers.")
    cache: Literal["memory", "redis"]
    cache_ok: bool
    snapshot_books: int = Field(description="Popular books kept for when no server answers.", examples=[2000])


class Live(Answer):
    """The process answers."""

    live: bool = True


class ReadyAnswer(Answer):
    """Whether lists of books can be given."""

    ready: bool
    version: str = Field(examples=[_VERSION])
    catalog: bool
    """Whether SQL answers; without it there are lists, but none of a reader, and no ratings."""


class GateCheck(Answer):
    """One check that a version had to pass before it might answer."""

    name: str = Field(examples=["recall_over_popularity"])
    value: float | None = Field(examples=[0.071])
    threshold: float | None = Field(examples=[0.0])
    passed: bool
    skipped: bool = Field(description="Not made or not judged; `detail` says why.")
    detail: str = Field(
        examples=["recall less 1.1 × popularity's, over 3000 readers: +0.0830 [+0.0710, +0.0953]"]
    )
    mean: float | None = Field(
        default=None,
        description="Over readers; `value` is the lower end of its interval. Null where no mean decides.",
        examples=[0.083],
    )
    interval: Annotated[list[float], Field(min_length=2, max_length=2)] | None = Field(
        default=None, description="The 95 % interval of `mean`.", examples=[[0.071, 0.0953]]
    )
    n_readers: int | None = Field(
        default=None, description="Over how many readers it was measured.", examples=[3000]
    )


class ModelInfo(Answer):
    """The version that answers: where it came from, and how it was judged."""

    version: str = Field(examples=[_VERSION])
    created_at: AwareDatetime = Field(examples=["2026-11-20T15:43:12Z"])
    trained_at: AwareDatetime = Field(
        description="Earlier, if the version is a refresh of a trained one.",
        examples=["2026-11-20T03:02:51Z"],
    )
    release: str = Field(description="The release of bookmesh that made it.", examples=["0.8.0"])
    counts: dict[str, int] = Field(
        description="`books`, `rated_books` (with a rating to learn from) and `subjects`.",
        examples=[{"books": 250000, "rated_books": 231557, "subjects": 97}],
    )
    metrics: dict[str, JsonValue] = Field(
        description="As measured on books held back from training: a value, or its mean with a lower and an "
        "upper bound.",
        examples=[{"recall@30": {"high": 0.167, "low": 0.148, "mean": 0.157}}],
    )
    params: dict[str, JsonValue] = Field(
        description="What it was trained with.", examples=[{"evidence": {"als": {"n_factors": 128}}}]
    )
    refresh_of: str | None = Field(
        description="The trained version whose models it has, if it is a refresh.", examples=[None]
    )
    passed: bool = Field(description="The verdict of the gate; false only if an operator has overruled it.")
    checks: list[GateCheck]


class ServerVersions(Answer):
    """What one server holds."""

    version: str | None = Field(examples=[_VERSION])
    held: list[str] = Field(examples=[[_VERSION]])


class VersionInfo(Answer):
    """Which artifact version answers, and what each server holds."""

    version: str = Field(examples=[_VERSION])
    servers: dict[str, ServerVersions]
