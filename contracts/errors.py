"""The one error body of the mesh (RFC 9457) and its stable codes."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

PROBLEM_MEDIA_TYPE = "application/problem+json"


class ErrorCode(StrEnum):
    """Stable codes that clients may switch on; docs/errors.md explains each."""

    INVALID_REQUEST = "invalid_request"
    BODY_TOO_LARGE = "body_too_large"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    USER_NOT_FOUND = "user_not_found"
    BOOK_NOT_FOUND = "book_not_found"
    RATING_NOT_FOUND = "rating_not_found"
    ISBN_INVALID = "isbn_invalid"
    UNKNOWN_SUBJECTS = "unknown_subjects"
    UNKNOWN_BOOKS = "unknown_books"
    NO_VECTOR = "no_vector"
    """The model knows the book, but holds no vector of the kind that was asked for."""
    VERSION_NOT_HELD = "version_not_held"
    NOT_LOADED = "not_loaded"
    OVERLOADED = "overloaded"
    UPSTREAM_FAILED = "upstream_failed"
    CATALOG_UNAVAILABLE = "catalog_unavailable"
    RELOAD_FAILED = "reload_failed"
    INTERNAL = "internal"


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
    status: int,
    detail: str,
    request_id: str,
    *,
    held: list[str] | None = None,
    unknown: list[str] | None = None,
    suggestions: dict[str, list[str]] | None = None,
) -> Problem:
    """The error body for a code: its type and title follow from the code alone."""
    return Problem(
        type=f"urn:bookmesh:error:{code}",
        title=code.replace("_", " ").capitalize(),
        status=status,
        detail=detail,
        code=code,
        request_id=request_id,
        held=held,
        unknown=unknown,
        suggestions=suggestions,
    )
