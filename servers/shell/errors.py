"""What the shell refuses, and the one table that turns exceptions into error bodies.

ShellError
├── DeadlinePassed     the caller no longer waits for this answer
├── HeaderInvalid      a header of ours holds nonsense
├── MethodNotAllowed   the path is served, but not by this method
├── NotLoaded          no version is loaded yet
├── Overloaded         as many requests as allowed are being answered already
├── PathNotFound       no such path
├── ReloadFailed       the version that the pointer names cannot be served
├── RequestInvalid     the body is not what the route takes
└── VersionNotHeld     the request is pinned to a version that is not in memory
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypedDict

from pydantic import ValidationError

from contracts.errors import PROBLEM_MEDIA_TYPE, ErrorCode, build_problem
from telemetry.asgi import BodyTooLarge, RenderedProblem, RenderProblem

RETRY_AFTER_S: Final = 1
MAX_FAULTS_SHOWN: Final = 5


class ShellError(Exception):
    """Base class of what the shell refuses."""


class DeadlinePassed(ShellError):
    """The caller no longer waits for this answer."""

    def __init__(self, deadline_ms: int) -> None:
        super().__init__(f"the deadline of {deadline_ms} ms passed before the work began; the server is busy")
        self.deadline_ms = deadline_ms


class HeaderInvalid(ShellError):
    """A header of ours holds nonsense."""

    def __init__(self, header: str, value: str) -> None:
        super().__init__(f"header {header} is {value[:40]!r}, not a whole number of milliseconds")
        self.header, self.value = header, value


class MethodNotAllowed(ShellError):
    """The path is served, but not by this method."""

    def __init__(self, method: str, path: str, allowed: str) -> None:
        super().__init__(f"{path} takes {allowed}, not {method}")
        self.method, self.path, self.allowed = method, path, allowed


class NotLoaded(ShellError):
    """No version is loaded yet."""

    def __init__(self) -> None:
        super().__init__("no version is loaded yet; train or promote one, or read last_reload_error at /info")


class Overloaded(ShellError):
    """As many requests as allowed are being answered already."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} requests are being answered already; come back in {RETRY_AFTER_S} s")
        self.limit = limit


class PathNotFound(ShellError):
    """No such path."""

    def __init__(self, path: str) -> None:
        super().__init__(f"nothing is served at {path}")
        self.path = path


class ReloadFailed(ShellError):
    """The version that the pointer names cannot be served; the one before it still is."""

    def __init__(self, version: str | None, reason: Exception) -> None:
        super().__init__(f"{version or 'the version pointer'} cannot be served: {reason}")
        self.version, self.reason = version, reason


class RequestInvalid(ShellError):
    """The body is not what the route takes."""

    def __init__(self, error: ValidationError) -> None:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        shown = (f"{_locate(fault['loc'])}: {fault['msg']}" for fault in faults[:MAX_FAULTS_SHOWN])
        super().__init__("; ".join(shown))


class VersionNotHeld(ShellError):
    """The request is pinned to a version that is not in memory."""

    def __init__(self, version: str, held: Sequence[str]) -> None:
        super().__init__(f"version {version} is not held here; held: {', '.join(held) or 'none'}")
        self.version, self.held = version, list(held)


class ProblemFacts(TypedDict, total=False):
    """What an error body may say besides its code."""

    held: list[str]
    unknown: list[str]


@dataclass(frozen=True)
class ProblemRule:
    """How one class of exceptions is answered."""

    status: int
    code: ErrorCode
    facts: Callable[[Any], ProblemFacts] = lambda error: {}
    """Further fields of the error body, taken from the exception."""
    headers: Callable[[Any], tuple[tuple[bytes, bytes], ...]] = lambda error: ()


ProblemRules = Mapping[type[Exception], ProblemRule]


def _retry_later(error: Exception) -> tuple[tuple[bytes, bytes], ...]:
    return ((b"retry-after", str(RETRY_AFTER_S).encode()),)


SHELL_RULES: Final[ProblemRules] = {
    BodyTooLarge: ProblemRule(413, ErrorCode.BODY_TOO_LARGE),
    DeadlinePassed: ProblemRule(503, ErrorCode.OVERLOADED, headers=_retry_later),
    HeaderInvalid: ProblemRule(422, ErrorCode.INVALID_REQUEST),
    MethodNotAllowed: ProblemRule(
        405, ErrorCode.METHOD_NOT_ALLOWED, headers=lambda error: ((b"allow", error.allowed.encode()),)
    ),
    NotLoaded: ProblemRule(503, ErrorCode.NOT_LOADED, headers=_retry_later),
    Overloaded: ProblemRule(503, ErrorCode.OVERLOADED, headers=_retry_later),
    PathNotFound: ProblemRule(404, ErrorCode.NOT_FOUND),
    ReloadFailed: ProblemRule(500, ErrorCode.RELOAD_FAILED),
    RequestInvalid: ProblemRule(422, ErrorCode.INVALID_REQUEST),
    VersionNotHeld: ProblemRule(409, ErrorCode.VERSION_NOT_HELD, facts=lambda error: {"held": error.held}),
}
INTERNAL_RULE: Final = ProblemRule(500, ErrorCode.INTERNAL)


def build_renderer(rules: ProblemRules) -> RenderProblem:
    """Render exceptions by the shell's rules and a server's own; what no rule covers is our fault, 500."""
    table = {**SHELL_RULES, **rules}

    def render(error: Exception, request_id: str) -> RenderedProblem:
        rule = next((table[kind] for kind in type(error).__mro__ if kind in table), INTERNAL_RULE)
        problem = build_problem(
            rule.code, rule.status, _describe(error, rule), request_id, **rule.facts(error)
        )
        body = problem.model_dump_json(exclude_none=True).encode()
        return RenderedProblem(rule.status, PROBLEM_MEDIA_TYPE, body, rule.headers(error))

    return render


def _describe(error: Exception, rule: ProblemRule) -> str:
    if rule is INTERNAL_RULE:
        # The log has the exception; a stranger gets no piece of our insides.
        return "something went wrong here; quote the request id to the operator"
    return str(error)


def _locate(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) or "body"
