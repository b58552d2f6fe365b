"""What a model server is besides its shell: a model, its routes, and how its refusals are answered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from contracts.shell import Request, Response, ServerName
from servers.shell.errors import ProblemRule

M = TypeVar("M")


@dataclass(frozen=True)
class ModelRoute(Generic[M]):
    """A POST route that a model answers."""

    path: str
    request: type[Request]
    answer: Callable[[M, str, Any], Response]
    """From the model, its version and the request; pure, so that it may run in any thread."""
    in_thread: bool = False
    """Whether it takes milliseconds, so that others should not wait for it."""


@dataclass(frozen=True)
class ModelServer(Generic[M]):
    """All that distinguishes one model server from the others."""

    name: ServerName
    """Also the owner of its objects in a version."""
    model: type[M]
    routes: tuple[ModelRoute[M], ...]
    warm_up: Callable[[M], None]
    """Touches what the first request would wait for; raises if the model cannot answer."""
    problems: Mapping[type[Exception], ProblemRule] = field(default_factory=dict)
