"""What can go wrong between the gateway and a model server.

MeshError
├── UpstreamError           the server gave no usable answer; the response degrades or falls back
│   ├── UpstreamTimeout     not within the time that the request had left
│   ├── UpstreamUnreachable refused, reset, or left alone by its circuit breaker
│   ├── UpstreamBroken      answered with a failure of its own, or with something that is not the contract
│   ├── UpstreamOutdated    does not know this kind of request, as its release is the one before
│   └── VersionUnavailable  lacks the version that the rest of the mesh answers from
├── UpstreamRefused         the version has no answer to this request (an unknown book, no vector of a kind)
└── VersionNotHeld          lacks the pinned version: the whole request is retried at another
"""

from contracts.errors import ClientCode, ErrorCode
from contracts.shell import ServerName
from gateway.errors import GatewayError


class MeshError(GatewayError):
    """Base of every failure between the gateway and a server."""

    def __init__(self, server: ServerName, detail: str) -> None:
        super().__init__(f"{server}: {detail}")
        self.server: ServerName = server
        self.detail = detail


class UpstreamError(MeshError):
    """The server gave no usable answer; the response degrades or falls back."""

    code = ClientCode.UPSTREAM_FAILED

    @property
    def blamed(self) -> str:
        """The dependency whose fault it is, as responses name it."""
        return self.server


class UpstreamTimeout(UpstreamError):
    """No answer within the time that the request had left."""

    def __init__(self, server: ServerName, waited_s: float, slow: str) -> None:
        reason = "" if slow == server else f", which is what {slow} left of the time"
        super().__init__(server, f"no answer within {waited_s * 1000:.0f} ms{reason}")
        self.waited_s, self.slow = waited_s, slow

    @property
    def blamed(self) -> str:
        return self.slow


class UpstreamUnreachable(UpstreamError):
    """The connection was refused or reset, or the circuit breaker is open."""


class UpstreamBroken(UpstreamError):
    """An answer of status 5xx, or a body that is not what the contract says."""


class UpstreamOutdated(UpstreamError):
    """The server does not know this kind of request, as its release is the one before; others it answers."""


class VersionUnavailable(UpstreamError):
    """The server lacks the version that the rest of the mesh answers from."""

    def __init__(self, server: ServerName, version: str | None) -> None:
        super().__init__(server, f"does not hold version {version}")
        self.version = version


class UpstreamRefused(MeshError):
    """This version has no answer to the request; `reason` is the code of why."""

    def __init__(self, server: ServerName, reason: ErrorCode, detail: str) -> None:
        super().__init__(server, detail)
        self.reason = reason


class VersionNotHeld(MeshError):
    """The server was pinned to a version that it does not hold; `held` names those that it does."""

    def __init__(self, server: ServerName, version: str, held: tuple[str, ...]) -> None:
        super().__init__(server, f"does not hold {version}, but {', '.join(held) or 'none'}")
        self.version, self.held = version, held
