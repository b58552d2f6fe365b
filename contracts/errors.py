"""The one error system: stable codes, the status of each, the body that carries them, what is raised.

CodedError                  an error that its code tells how to answer
├── ServerError             servers/errors.py: what a model server refuses
└── GatewayError            gateway/errors.py: what the gateway tells its clients
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import ClassVar, Final

from pydantic import BaseModel, ConfigDict

PROBLEM_MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 1
"""What the `Retry-After` of every 503 says; other errors bring their own."""


class ClientCode(StrEnum):
    """Stable codes that clients may switch on; docs/errors.md explains each."""

    # Model servers answer with them too, wherever they mean the same: one thing has one code on both sides.
    INVALID_REQUEST = "invalid_request"
    MALFORMED_REQUEST = "malformed_request"
    REQUEST_TIMEOUT = "request_timeout"
    URI_TOO_LONG = "uri_too_long"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    HEADERS_TOO_LARGE = "headers_too_large"
    BODY_TOO_LARGE = "body_too_large"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    USER_NOT_FOUND = "user_not_found"
    BOOK_NOT_FOUND = "book_not_found"
    AUTHOR_NOT_FOUND = "author_not_found"
    RATING_NOT_FOUND = "rating_not_found"
    DISMISSAL_NOT_FOUND = "dismissal_not_found"
    NOT_ON_SHELF = "not_on_shelf"
    BOOK_RATED = "book_rated"
    ISBN_INVALID = "isbn_invalid"
    UNKNOWN_SUBJECTS = "unknown_subjects"
    UNKNOWN_AUTHORS = "unknown_authors"
    UNKNOWN_BOOKS = "unknown_books"
    UNAUTHENTICATED = "unauthenticated"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105  (the name of a mistake, no secret)
    TOKEN_REUSED = "token_reused"  # noqa: S105
    WRONG_CREDENTIALS = "wrong_credentials"
    FORBIDDEN = "forbidden"
    EMAIL_TAKEN = "email_taken"
    EXTERNAL_ID_TAKEN = "external_id_taken"
    LINK_INVALID = "link_invalid"
    LIBRARY_UNREADABLE = "library_unreadable"
    LIBRARY_ROW_NOT_FOUND = "library_row_not_found"
    EDIT_CONFLICT = "edit_conflict"
    JOB_NOT_FOUND = "job_not_found"
    JOB_ENDED = "job_ended"
    VERSION_NOT_FOUND = "version_not_found"
    REPORT_NOT_FOUND = "report_not_found"
    KEY_NOT_FOUND = "key_not_found"
    KEY_NAME_TAKEN = "key_name_taken"
    ACCOUNT_TAKEN = "account_taken"
    ACCOUNT_MISSING = "account_missing"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    UPSTREAM_FAILED = "upstream_failed"
    CATALOG_UNAVAILABLE = "catalog_unavailable"
    INTERNAL = "internal"


class MeshCode(StrEnum):
    """Codes that only model servers answer with; the gateway deals with them, so no client ever sees one."""

    NO_VECTOR = "no_vector"
    """The model knows the book, but holds no vector of the kind that was asked for."""
    VERSION_NOT_HELD = "version_not_held"
    NOT_LOADED = "not_loaded"
    RELOAD_FAILED = "reload_failed"


ErrorCode = ClientCode | MeshCode

STATUS: Final[Mapping[ErrorCode, int]] = {
    ClientCode.INVALID_REQUEST: 422,
    ClientCode.MALFORMED_REQUEST: 400,
    ClientCode.REQUEST_TIMEOUT: 408,
    ClientCode.URI_TOO_LONG: 414,
    ClientCode.UNSUPPORTED_MEDIA_TYPE: 415,
    ClientCode.HEADERS_TOO_LARGE: 431,
    ClientCode.BODY_TOO_LARGE: 413,
    ClientCode.NOT_FOUND: 404,
    ClientCode.METHOD_NOT_ALLOWED: 405,
    ClientCode.USER_NOT_FOUND: 404,
    ClientCode.BOOK_NOT_FOUND: 404,
    ClientCode.AUTHOR_NOT_FOUND: 404,
    ClientCode.RATING_NOT_FOUND: 404,
    ClientCode.DISMISSAL_NOT_FOUND: 404,
    ClientCode.NOT_ON_SHELF: 404,
    ClientCode.BOOK_RATED: 409,
    ClientCode.ISBN_INVALID: 422,
    ClientCode.UNKNOWN_SUBJECTS: 422,
    ClientCode.UNKNOWN_AUTHORS: 422,
    ClientCode.UNKNOWN_BOOKS: 422,
    ClientCode.UNAUTHENTICATED: 401,
    ClientCode.TOKEN_EXPIRED: 401,
    ClientCode.TOKEN_REUSED: 401,
    ClientCode.WRONG_CREDENTIALS: 401,
    ClientCode.FORBIDDEN: 403,
    ClientCode.EMAIL_TAKEN: 409,
    ClientCode.EXTERNAL_ID_TAKEN: 409,
    ClientCode.LINK_INVALID: 422,
    ClientCode.LIBRARY_UNREADABLE: 422,
    ClientCode.LIBRARY_ROW_NOT_FOUND: 404,
    ClientCode.EDIT_CONFLICT: 409,
    ClientCode.JOB_NOT_FOUND: 404,
    ClientCode.JOB_ENDED: 409,
    ClientCode.VERSION_NOT_FOUND: 404,
    ClientCode.REPORT_NOT_FOUND: 404,
    ClientCode.KEY_NOT_FOUND: 404,
    ClientCode.KEY_NAME_TAKEN: 409,
    ClientCode.ACCOUNT_TAKEN: 409,
    ClientCode.ACCOUNT_MISSING: 409,
    ClientCode.RATE_LIMITED: 429,
    ClientCode.OVERLOADED: 503,
    ClientCode.UPSTREAM_FAILED: 503,
    ClientCode.CATALOG_UNAVAILABLE: 503,
    ClientCode.INTERNAL: 500,
    MeshCode.NO_VECTOR: 404,
    MeshCode.VERSION_NOT_HELD: 409,
    MeshCode.NOT_LOADED: 503,
    MeshCode.RELOAD_FAILED: 500,
}
"""The only place where a code meets a status."""


class CodedError(Exception):
    """An error that its code tells how to answer; the message and the facts below go into the answer.

    A class without a code of its own is for our own code to catch: if it gets out, that is our mistake.
    """

    code: ClassVar[ErrorCode] = ClientCode.INTERNAL
    held: Sequence[str] | None = None
    unknown: Sequence[str] | Sequence[int] | None = None
    suggestions: Mapping[str, list[str]] | None = None
    headers: Mapping[str, str] = MappingProxyType({})
    """Of the answer, besides those of every answer of its status."""


class Problem(BaseModel):
    """Problem details (RFC 9457 section 3) with our stable code and the id to quote to an operator."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str
    """`urn:bookmesh:error:<code>`."""
    title: str
    status: int
    detail: str
    code: ErrorCode
    request_id: str
    held: list[str] | None = None
    """With `version_not_held`: the versions that would have been answered."""
    unknown: list[str] | None = None
    """With `unknown_subjects` and `unknown_books`: what was not known."""
    suggestions: dict[str, list[str]] | None = None
    """With `unknown_subjects`: the nearest known names of each."""


def build_problem(
    code: ErrorCode,
    detail: str,
    request_id: str,
    *,
    held: list[str] | None = None,
    unknown: list[str] | None = None,
    suggestions: dict[str, list[str]] | None = None,
) -> Problem:
    """The error body for a code: its type, title and status follow from the code alone."""
    return Problem(
        type=f"urn:bookmesh:error:{code}",
        title=code.replace("_", " ").capitalize(),
        status=STATUS[code],
        detail=detail,
        code=code,
        request_id=request_id,
        held=held,
        unknown=unknown,
        suggestions=suggestions,
    )
