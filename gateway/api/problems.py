"""The error answers of the API: FastAPI's own refusals, and what the OpenAPI page says of each status."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ConfigDict, JsonValue
from starlette.exceptions import HTTPException
from starlette.types import ExceptionHandler

from contracts import errors
from contracts.errors import PROBLEM_MEDIA_TYPE, ClientCode
from middleware import problems

MEANING: Final[Mapping[int, str]] = {
    400: "What arrived is not HTTP/1.1.",
    401: "No token or key that is good was sent; `code` says which.",
    403: "Whoever asks may not do this.",
    404: "There is no such thing.",
    405: "The path is served, but not by this method; see `Allow`.",
    409: "It contradicts what there is.",
    408: "The request did not arrive whole in time.",
    413: "The body is larger than 512 KiB, or a library larger than 8 MiB.",
    414: "The URL is longer than 8 KiB.",
    415: "The body is not `application/json`, or not of a type that the route takes.",
    422: "The request is not valid; `detail` says where.",
    429: "More requests than the limit; come back after `Retry-After` seconds.",
    431: "The headers are larger than 32 KiB.",
    500: "Our mistake; quote `request_id` to the operator.",
    503: "Overloaded, or a needed dependency is lost; come back after `Retry-After` seconds.",
}
ANYWHERE: Final = (400, 405, 408, 414, 422, 429, 431, 500, 503)
"""Answers of every route."""
OF_USER: Final = (401, 403, 404)
"""Further answers of a route about one reader."""


_EXAMPLE: Final[dict[str, JsonValue]] = {
    "type": "urn:bookmesh:error:book_not_found",
    "title": "Book not found",
    "status": 404,
    "detail": "no book 4711",
    "code": "book_not_found",
    "request_id": "b2bfc69d8c9820a4",
}


class Problem(errors.Problem):
    """Problem details (RFC 9457 section 3) with our stable code and the id to quote to an operator."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    code: ClientCode


def document(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Error answers, of a route or of all, for the OpenAPI description."""
    content = {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": MEANING[status], "content": content} for status in statuses}


async def _answer_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return await problems.answer_problem(request, HTTPException(422, problems.list_mistakes(error.errors())))


HANDLERS: Final[Mapping[Any, ExceptionHandler]] = {
    **problems.HANDLERS,
    RequestValidationError: _answer_invalid,
}
