"""The one renderer of failures: any exception as problem+json (RFC 9457), in every process."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import structlog
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Mount
from starlette.types import ExceptionHandler

from contracts.errors import (
    PROBLEM_MEDIA_TYPE,
    RETRY_AFTER_S,
    STATUS,
    ClientCode,
    CodedError,
    Problem,
    build_problem,
)

HTTP_CODES: Final = {
    STATUS[code]: code
    for code in (
        ClientCode.UNAUTHENTICATED,
        ClientCode.NOT_FOUND,
        ClientCode.METHOD_NOT_ALLOWED,
        ClientCode.BODY_TOO_LARGE,
        ClientCode.UNSUPPORTED_MEDIA_TYPE,
    )
}
"""Codes of what is refused with an HTTPException, also by the framework; any other is an invalid request."""

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
"""Of what routes; RequestMiddleware makes a GET of every HEAD."""

log = structlog.get_logger()


async def answer_problem(request: Request, error: Exception) -> Response:
    """The answer to a request that failed with this error; what is our fault is logged."""
    problem = _describe(error, request.state.request_id)
    request.state.problem = problem.code
    if problem.status == STATUS[ClientCode.INTERNAL]:
        log.error("request failed", path=request.scope["path"], error=repr(error), exc_info=error)
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if problem.status == STATUS[ClientCode.UNAUTHENTICATED]:
        headers["WWW-Authenticate"] = "Bearer"
    if problem.status == STATUS[ClientCode.OVERLOADED]:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if isinstance(error, CodedError):
        headers |= error.headers
    body = problem.model_dump_json(exclude_none=True)
    return Response(body, problem.status, headers, PROBLEM_MEDIA_TYPE)


async def _refuse_path(request: Request, error: Exception) -> Response:
    return await answer_problem(request, HTTPException(404, f"nothing is served at {request.scope['path']}"))


async def _refuse_method(request: Request, error: Exception) -> Response:
    allowed = ", ".join(_list_methods(request) or ["GET", "HEAD"])  # no route: a folder of files
    detail = f"{request.scope['path']} takes {allowed}, not {request.method}"
    return await answer_problem(request, HTTPException(405, detail, {"Allow": allowed}))


def _list_methods(request: Request) -> list[str]:
    """All methods that the path of a request takes, by whichever route."""
    routes = [route for route in request.app.routes if not isinstance(route, Mount)]
    methods = [
        method
        for method in METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]
    return ["GET", "HEAD", *methods[1:]] if "GET" in methods else methods


HANDLERS: Final[Mapping[Any, ExceptionHandler]] = {
    CodedError: answer_problem,
    HTTPException: answer_problem,
    404: _refuse_path,
    405: _refuse_method,
}
"""The exception handlers of every app; what none of them foresees is left to RequestMiddleware."""


def list_mistakes(mistakes: Iterable[ErrorDetails]) -> str:
    """What pydantic found wrong, each with its place, for the detail of an invalid request."""
    return "; ".join(f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['msg']}" for each in mistakes)


def _describe(error: Exception, request_id: str) -> Problem:
    match error:
        case CodedError() if error.code != ClientCode.INTERNAL:
            return build_problem(
                error.code,
                str(error),
                request_id,
                held=None if error.held is None else list(error.held),
                unknown=None if error.unknown is None else list(map(str, error.unknown)),
                suggestions=None if error.suggestions is None else dict(error.suggestions),
            )
        case HTTPException():
            code = HTTP_CODES.get(error.status_code, ClientCode.INVALID_REQUEST)
            return build_problem(code, error.detail, request_id)
        case _:
            # The log has the exception; a stranger gets no piece of our insides.
            detail = "something went wrong on our side; quote the request id to the operator"
            return build_problem(ClientCode.INTERNAL, detail, request_id)
