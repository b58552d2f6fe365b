"""Every failure as problem+json (RFC 9457): one table from what went wrong to status and code."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from catalog.errors import IsbnInvalid
from contracts.errors import PROBLEM_MEDIA_TYPE, ErrorCode, Problem, build_problem
from contracts.shell import VERSION_HEADER
from gateway.errors import GatewayError, UnknownBooks, UnknownSubjects
from gateway.mesh.errors import UpstreamError
from telemetry.asgi import BodyTooLarge, RenderedProblem, RenderProblem

STATUS: Final[Mapping[ErrorCode, int]] = {
    ErrorCode.INVALID_REQUEST: 422,
    ErrorCode.BODY_TOO_LARGE: 413,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.METHOD_NOT_ALLOWED: 405,
    ErrorCode.USER_NOT_FOUND: 404,
    ErrorCode.BOOK_NOT_FOUND: 404,
    ErrorCode.RATING_NOT_FOUND: 404,
    ErrorCode.ISBN_INVALID: 422,
    ErrorCode.UNKNOWN_SUBJECTS: 422,
    ErrorCode.UNKNOWN_BOOKS: 422,
    ErrorCode.OVERLOADED: 503,
    ErrorCode.UPSTREAM_FAILED: 503,
    ErrorCode.CATALOG_UNAVAILABLE: 503,
    ErrorCode.INTERNAL: 500,
}
HTTP_CODES: Final[Mapping[int, ErrorCode]] = {
    404: ErrorCode.NOT_FOUND,
    405: ErrorCode.METHOD_NOT_ALLOWED,
    413: ErrorCode.BODY_TOO_LARGE,
}
RETRY_AFTER_S: Final = b"1"
MEANING: Final[Mapping[int, str]] = {
    404: "There is no such thing.",
    413: "The body is larger than 64 KiB.",
    422: "The request is not valid; `detail` says where.",
    503: "Overloaded, or a needed dependency is lost; come back after `Retry-After` seconds.",
}


def document(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route, for its OpenAPI description."""
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        status: {
            "description": MEANING[status],
            "model": Problem,
            "content": {PROBLEM_MEDIA_TYPE: schema},
        }
        for status in (*statuses, 422, 503)
    }


def build_renderer(name_version: Callable[[], str]) -> RenderProblem:
    """The renderer of this process's errors, each naming the version that is pinned at that moment."""

    def render(error: Exception, request_id: str) -> RenderedProblem:
        problem = describe(error, request_id)
        headers = [(VERSION_HEADER.lower().encode(), name_version().encode())]
        if problem.status == 503:
            headers.append((b"retry-after", RETRY_AFTER_S))
        if isinstance(error, HTTPException) and error.headers:
            headers += [(name.lower().encode(), value.encode()) for name, value in error.headers.items()]
        body = problem.model_dump_json(exclude_none=True).encode()
        return RenderedProblem(problem.status, PROBLEM_MEDIA_TYPE, body, tuple(headers))

    return render


def describe(error: Exception, request_id: str) -> Problem:
    """The error body of any exception; one that nobody foresaw keeps its details to the log."""
    match error:
        case UnknownSubjects():
            return _problem(error.code, str(error), request_id, error.unknown, error.suggestions)
        case UnknownBooks():
            return _problem(error.code, str(error), request_id, [str(book) for book in error.unknown])
        case GatewayError():
            return _problem(error.code, str(error), request_id)
        case IsbnInvalid():
            return _problem(ErrorCode.ISBN_INVALID, str(error), request_id)
        case UpstreamError():
            return _problem(ErrorCode.UPSTREAM_FAILED, str(error), request_id)
        case BodyTooLarge():
            return _problem(ErrorCode.BODY_TOO_LARGE, str(error), request_id)
        case RequestValidationError():
            return _problem(ErrorCode.INVALID_REQUEST, _list_mistakes(error), request_id)
        case HTTPException():
            # FastAPI gives a body that it cannot even decode a status of its own, 400.
            code = HTTP_CODES.get(error.status_code, ErrorCode.INVALID_REQUEST)
            return _problem(code, error.detail, request_id)
        case _:
            detail = "something went wrong on our side; quote the request id to the operator"
            return _problem(ErrorCode.INTERNAL, detail, request_id)


def let_errors_through(app: FastAPI) -> None:
    """Keep FastAPI from answering errors in its own form: the edge around it knows all of them."""

    async def reraise(_: Request, error: Exception) -> Response:
        raise error

    for kind in (HTTPException, RequestValidationError):
        app.exception_handlers[kind] = reraise


def _problem(
    code: ErrorCode,
    detail: str,
    request_id: str,
    unknown: list[str] | None = None,
    suggestions: dict[str, list[str]] | None = None,
) -> Problem:
    return build_problem(code, STATUS[code], detail, request_id, unknown=unknown, suggestions=suggestions)


def _list_mistakes(error: RequestValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, mistake['loc']))}: {mistake['msg']}" for mistake in error.errors())
