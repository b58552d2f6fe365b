"""The error answers of the API: FastAPI's own refusals, and what the OpenAPI page says of each status."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ExceptionHandler

from contracts import errors
from contracts.errors import PROBLEM_MEDIA_TYPE, ClientCode
from middleware import problems

MEANING: Final[Mapping[int, str]] = {
    404: "There is no such thing.",
    413: "The body is larger than 64 KiB.",
    422: "The request is not valid; `detail` says where.",
    503: "Overloaded, or a needed dependency is lost; come back after `Retry-After` seconds.",
}


class Problem(errors.Problem):
    """Problem details (RFC 9457 section 3) with our stable code and the id to quote to an operator."""

    code: ClientCode


def document(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route, for its OpenAPI description."""
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        status: {"description": MEANING[status], "model": Problem, "content": {PROBLEM_MEDIA_TYPE: schema}}
        for status in (*statuses, 422, 503)
    }


async def _answer_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return await problems.answer_problem(request, HTTPException(422, problems.list_mistakes(error.errors())))


HANDLERS: Final[Mapping[type[Exception], ExceptionHandler]] = {
    **problems.HANDLERS,
    RequestValidationError: _answer_invalid,
}
