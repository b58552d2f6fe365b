"""What a model server is besides its shell: a model and its routes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from contracts.shell import Request, Response, ScoredBooks, ServerName

M = TypeVar("M")

FEW_BOOKS: Final = 20_000
"""Scanning so many takes 0.4 to 0.8 ms at the median; handing it to a thread would add 0.06 ms of CPU."""


class HasBooks(Protocol):
    """A model whose work grows with its number of books."""

    @property
    def book_ids(self) -> NDArray[np.int64]: ...


def scans_many_books(model: HasBooks, request: object) -> bool:
    """`is_slow` of a route that looks at every book."""
    return model.book_ids.size > FEW_BOOKS


def list_books(version: str, found: tuple[NDArray[np.int64], NDArray[np.float32]]) -> ScoredBooks:
    """The response with these ids and scores, (n,) each, in their order."""
    book_ids, scores = found
    return ScoredBooks(version=version, book_ids=book_ids.tolist(), scores=scores.tolist())


@dataclass(frozen=True)
class ModelRoute(Generic[M]):
    """A POST route that a model answers."""

    path: str
    request: type[Request]
    answer: Callable[[M, str, Any], Response | bytes]
    """From the model, its version and the request; a message, or its JSON. It may run in any thread."""
    is_slow: Callable[[M, Any], bool] = lambda model, request: False
    """Whether the answer takes milliseconds: then a thread gives it, and no other request waits."""


@dataclass(frozen=True)
class ModelServer(Generic[M]):
    """All that distinguishes one model server from the others."""

    name: ServerName
    """Also the owner of its objects in a version."""
    model: type[M]
    routes: tuple[ModelRoute[M], ...]
    warm_up: Callable[[M], None]
    """Touches what the first request would wait for; raises if the model cannot answer."""
