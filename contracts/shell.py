"""What all five model servers share: headers, operational paths and the bases of every message."""

from datetime import datetime
from typing import Annotated, Literal, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue

VERSION_HEADER = "X-Artifact-Version"
"""On a request: answer from this version or not at all. On a response: the version that answered."""
PIN_HEADER = "X-Pinned-Version"
"""On a look at INFO_PATH: what this gateway answers from. The server keeps it, or loads it if it can."""
REQUEST_ID_HEADER = "X-Request-ID"
DEADLINE_HEADER = "X-Deadline-Ms"
"""Milliseconds that the caller still waits for an answer."""

LIVE_PATH = "/health/live"
READY_PATH = "/health/ready"
INFO_PATH = "/info"
MODEL_PATH = "/model"
VERSIONS_PATH = "/versions"
METRICS_PATH = "/metrics"
RELOAD_PATH = "/reload"

ServerName = Literal["embedder", "similarity", "als", "metadata", "semantic"]
SERVER_NAMES: tuple[ServerName, ...] = ("embedder", "similarity", "als", "metadata", "semantic")
DEFAULT_PORTS: dict[ServerName, int] = {
    "embedder": 8101,
    "similarity": 8102,
    "als": 8103,
    "metadata": 8104,
    "semantic": 8105,
}

BookId = Annotated[int, Field(ge=0, le=2**63 - 1)]
Weight = Annotated[float, Field(ge=0, le=1)]
Score = Annotated[float, Field(allow_inf_nan=False)]
Component = Annotated[float, Field(ge=-1e6, le=1e6)]
"""Far beyond any unit vector's, yet sums of products stay finite in float32."""
Vector = Annotated[list[Component], Field(min_length=1, max_length=4096)]
Port = Annotated[int, Field(ge=0, le=65535)]
Host = Annotated[str, Field(pattern=r"^[\w.:%-]+$")]
"""An IP address or a name."""
MAX_BOOKS = 10_000
"""Most books that one message may carry."""


class Request(BaseModel):
    """Base of every request: an unknown field is a mistake of the caller, and so is a NaN."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ResponsePart(BaseModel):
    """Base of what servers answer: unknown fields are ignored, so that servers deploy before the gateway."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Response(ResponsePart):
    """Base of every answer that is made from a version."""

    version: str

    def fits(self, request: Request) -> bool:
        """Whether it can be the answer to a request, as far as its types do not tell."""
        return True


class ReadableResponse(Protocol):
    """What every answer that is made from a version has in common, whatever reads it."""

    @property
    def version(self) -> str: ...

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray) -> Self: ...

    def fits(self, request: Request) -> bool:
        """Whether it can be the answer to a request, as far as its types do not tell."""
        ...


class ScoredBooks(Response):
    """Books, none twice, and their scores as two lists of one length; best first, unless a route says not."""

    book_ids: list[BookId]
    scores: list[Score]

    def fits(self, request: Request) -> bool:
        """Whether each book has its score."""
        return len(self.book_ids) == len(self.scores) == len(set(self.book_ids))


class ScoresRequest(Request):
    """Base of what asks for the scores of books."""

    book_ids: Annotated[list[BookId], Field(min_length=1, max_length=MAX_BOOKS)]


class ScoresResponse(ScoredBooks):
    """The books of the request in its order, with their scores."""

    def fits(self, request: Request) -> bool:
        """Whether these are its books, each with its score."""
        is_asked = isinstance(request, ScoresRequest) and self.book_ids == request.book_ids
        return is_asked and len(self.scores) == len(self.book_ids)


class Ready(ResponsePart):
    """Answer of the readiness check."""

    ready: bool
    version: str | None


class Info(ResponsePart):
    """What a server holds: the gateway's choice of a version rests on it."""

    server: ServerName
    pid: int
    version: str | None
    """The version that answers requests without a pin; None until one is loaded."""
    held: list[str]
    """Every version that a pinned request may name, newest load first."""
    rss_bytes: int
    uptime_s: float
    shapes: dict[str, list[int]]
    """Shape of each array of the current version."""
    limits: dict[str, int]
    last_reload_error: str | None = None


class ModelRequest(Request):
    """What is known of the version: every server can tell, since it is in the manifest."""


class ModelCheck(ResponsePart):
    """One check of the gate."""

    name: str
    value: float | None
    threshold: float | None
    passed: bool
    skipped: bool
    detail: str
    mean: float | None = None
    """Over readers, where `value` is the lower end of its interval; these three came with 0.7.0."""
    interval: tuple[float, float] | None = None
    n_readers: int | None = None


class ModelResponse(Response):
    """Where a version came from, and how it was judged."""

    created_at: datetime
    trained_at: datetime
    """Earlier, if the version is a refresh of a trained one."""
    release: str
    """Of bookmesh, that made it."""
    counts: dict[str, int]
    """`books`, `rated_books` and `subjects`, as far as its manifest tells."""
    metrics: dict[str, JsonValue]
    params: dict[str, JsonValue]
    passed: bool
    checks: list[ModelCheck]
    refresh_of: str | None = None
    """The trained version whose models it has; None for a trained one."""


class VersionsRequest(Request):
    """What the artifact store holds: every server can tell, and a gateway may be where no store is."""


class VersionsResponse(Response):
    """All versions of the store."""

    current: str | None
    """What the pointer names."""
    versions: list[ModelResponse]
    """The newest first; those that cannot be read are left out."""
