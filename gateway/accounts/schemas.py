"""What clients send and get about accounts."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, SecretStr
from pydantic_core import PydanticCustomError

from catalog.emails import fold_email
from catalog.errors import EmailInvalid
from catalog.tables import EMAIL_LENGTH, NAME_LENGTH, Role
from contracts.shell import BookId
from gateway.accounts.passwords import LONGEST, SHORTEST
from gateway.schemas import (
    MAX_SUBJECTS,
    AgeGroup,
    Answer,
    AuthorName,
    Body,
    Country,
    Gender,
    Rating,
    SubjectName,
)

MAX_FAVOURITES = 20
MAX_LOVED = 100
MAX_BULK = 500
MAX_EXTERNAL_ID = 200
_PASSWORD = "correct horse battery staple"  # noqa: S105  (an example)
_TOKEN = "4f1c5b0d9a7e4d23.kXw3nT0"  # noqa: S105
_WHO: dict[str, JsonValue] = {"email": "ada@example.org", "name": "Ada", "password": _PASSWORD}
_NEW_READER: dict[str, JsonValue] = {
    "age_group": "25-34",
    "country": "Portugal",
    "favourite_subjects": ["Science fiction"],
    "favourite_authors": ["Ursula K. Le Guin"],
    "loved_books": [241],
}


def _check_email(text: str) -> str:
    try:
        return fold_email(text)
    except EmailInvalid as error:
        # What was given is not repeated: the message is logged.
        raise PydanticCustomError("email", "Not an e-mail address") from error


def _check_name(text: str) -> str:
    name = text.strip()
    if not name or not name.isprintable():
        raise PydanticCustomError("name", "Write a name in letters that can be printed")
    return name


def _check_password(password: SecretStr) -> SecretStr:
    try:
        password.get_secret_value().encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("password", "Write a password of whole characters") from None
    return password


Email = Annotated[
    str, Field(max_length=EMAIL_LENGTH, examples=["ada@example.org"]), AfterValidator(_check_email)
]
Name = Annotated[str, Field(max_length=NAME_LENGTH, examples=["Ada"]), AfterValidator(_check_name)]
Password = Annotated[
    SecretStr,
    Field(max_length=LONGEST, examples=["correct horse battery staple"]),
    AfterValidator(_check_password),
]
NewPassword = Annotated[Password, Field(min_length=SHORTEST)]
Token = Annotated[str, Field(max_length=200, pattern=r"^[\x21-\x7e]*$")]
Subjects = Annotated[list[SubjectName], Field(max_length=MAX_SUBJECTS, examples=[["Science fiction"]])]
Authors = Annotated[list[AuthorName], Field(max_length=MAX_FAVOURITES, examples=[["Ursula K. Le Guin"]])]


class PreferenceForm(Body):
    """What a reader may tell of themselves; all of it may be left out."""

    age_group: AgeGroup | None = Field(default=None, examples=["25-34"])
    gender: Gender | None = Field(default=None, examples=["female"])
    country: Country | None = None
    favourite_subjects: Subjects = Field(default=[], description="The dearest first, in any case.")
    favourite_authors: Authors = Field(
        default=[],
        description="As their books name them, the dearest first.",
    )


class NewReader(PreferenceForm):
    """What a service tells of a reader whom it brings."""

    model_config = ConfigDict(json_schema_extra={"examples": [_NEW_READER]})

    loved_books: Annotated[list[BookId], Field(max_length=MAX_LOVED)] = Field(
        default=[], description="Books that the reader has read and loves: rated 10.", examples=[[241]]
    )


class NewUser(NewReader):
    """The same, with the service's own id of the reader."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"external_id": "shop-4711", **_NEW_READER}]})

    external_id: Annotated[str, Field(min_length=1, max_length=MAX_EXTERNAL_ID)] | None = Field(
        default=None,
        description="Sent again with the same form, it brings the same reader; of all services together, so "
        "begin it with the name of yours. It is kept as a digest.",
        examples=["shop-4711"],
    )


class SignUpRequest(NewReader):
    """A new reader."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_WHO, **_NEW_READER}]})

    email: Email
    name: Name
    password: NewPassword


class LogInRequest(Body):
    """Who logs in."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"email": "ada@example.org", "password": _PASSWORD}]}
    )

    email: Email
    password: Password


class RefreshRequest(Body):
    """The newest refresh token of a log-in."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"refresh_token": _TOKEN}]})

    refresh_token: Token


class PasswordChange(Body):
    """A new password, and the one until now."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"current_password": _PASSWORD, "new_password": "another password"}]}
    )

    current_password: Password
    new_password: NewPassword


class ResetRequest(Body):
    """Whose password is forgotten."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "ada@example.org"}]})

    email: Email


class ResetConfirmation(Body):
    """The mailed token, and the new password."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"token": _TOKEN, "new_password": "another password"}]}
    )

    token: Token
    new_password: NewPassword


class ClaimRequest(Body):
    """The token of a link that an admin handed out, and how the reader will log in."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"token": _TOKEN, **_WHO}]})

    token: Token
    email: Email
    name: Name
    password: NewPassword


class TokenAnswer(Answer):
    """What a reader who is logged in sends: the access token with each request."""

    user_id: int = Field(examples=[1739203948])
    access_token: str = Field(description="For `Authorization: Bearer …`.", examples=["eyJhbGciOi…"])
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  (how it is sent, no secret)
    expires_in: int = Field(description="Seconds that the access token is good for.", examples=[900])
    refresh_token: str = Field(
        description="Good once, for a new pair of tokens; a second time it ends the log-in.",
        examples=[_TOKEN],
    )


class CreatedUser(Answer):
    """A reader whom a service brought."""

    user_id: int = Field(examples=[1739203948])


class Profile(Answer):
    """A reader as they know themselves."""

    user_id: int = Field(examples=[1739203948])
    email: str = Field(examples=["ada@example.org"])
    name: str = Field(examples=["Ada"])
    role: Role
    created_at: int = Field(description="Seconds since 1970 UTC.", examples=[1795270000])
    age_group: str | None = Field(examples=["25-34"])
    gender: str | None = Field(examples=["female"])
    country: str | None = Field(examples=["Portugal"])
    favourite_subjects: list[str] = Field(examples=[["Science fiction"]])
    favourite_authors: list[str] = Field(examples=[["Ursula K. Le Guin"]])
    n_books: int = Field(description="Books in the reader's history.", examples=[17])


class ProfileUpdate(Body):
    """What changes; what is left out stays. Null deletes, but for e-mail and name, which stay."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"country": "Portugal", "favourite_subjects": ["Science fiction"]}]}
    )

    email: Email | None = Field(default=None, description="With `current_password`.")
    name: Name | None = None
    current_password: Password | None = None
    age_group: AgeGroup | None = None
    gender: Gender | None = None
    country: Country | None = None
    favourite_subjects: Subjects | None = None
    favourite_authors: Authors | None = None


class PersonalData(Answer):
    """All that is stored about a reader, by table, without what would be of use to thieves."""

    exported_at: int = Field(description="Seconds since 1970 UTC.", examples=[1795270000])
    tables: dict[str, list[dict[str, Any]]] = Field(
        description="Rows as they are stored; `books` names those that the others refer to.",
        examples=[{"ratings": [{"user_id": 1739203948, "book_id": 241, "rating": 8.0}]}],
    )


class BulkRating(Body):
    """A book and what the reader thinks of it."""

    book_id: BookId = Field(examples=[241])
    rating: Rating | None = Field(description="1 to 10; null: read, not judged.", examples=[8])


class BulkRatings(Body):
    """Many ratings, of which of one book the last counts."""

    ratings: Annotated[list[BulkRating], Field(min_length=1, max_length=MAX_BULK)]


class BulkStored(Answer):
    """What became of many ratings."""

    n_new: int = Field(examples=[12])
    n_changed: int = Field(examples=[3])


class SubjectShare(Answer):
    """A subject of a reader's books."""

    name: str = Field(examples=["Science fiction"])
    n_books: int = Field(examples=[9])
    mean_rating: float | None = Field(description="Of those that the reader has judged.", examples=[8.2])


class RatingStatistics(Answer):
    """What a reader has read, in numbers."""

    n_books: int = Field(description="Books in the history.", examples=[17])
    n_rated: int = Field(description="Those that the reader has judged.", examples=[12])
    mean_rating: float | None = Field(examples=[7.9])
    n_by_rating: dict[int, int] = Field(
        description="How many were given each mark, half marks counted upwards.", examples=[{8: 5, 9: 7}]
    )
    subjects: list[SubjectShare] = Field(description="Those of most of the reader's books.")
