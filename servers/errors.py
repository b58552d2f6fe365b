"""What a model server refuses: its shell first, then the models.

ServerError
├── DeadlinePassed     the caller no longer waits for this answer
├── NotLoaded          no version is loaded yet
├── Overloaded         as many requests as allowed are being answered already
├── ReloadFailed       the version that the pointer names cannot be served
├── VersionNotHeld     the request is pinned to a version that is not in memory
├── WarmUpFailed       a version is whole, and cannot answer
├── BookUnknown        similarity: no such book
├── NoKnownBooks       als: no book of the history
├── NoKnownFavourites  als: nothing of what a reader without a history told
├── NoKnownSubjects    embedder: none of the subjects
├── SubjectUnknown     metadata: no such subject
├── VectorMissing      similarity: the book has no vector of the kind
└── VectorUnfit        similarity: the vector is of another space
"""

from collections.abc import Sequence

from contracts.errors import RETRY_AFTER_S, ClientCode, CodedError, MeshCode
from foundation.arrays import I64


class ServerError(CodedError):
    """Base of what a model server refuses."""


class DeadlinePassed(ServerError):
    """The caller no longer waits for this answer."""

    code = ClientCode.OVERLOADED

    def __init__(self, deadline_ms: int) -> None:
        super().__init__(f"the deadline of {deadline_ms} ms passed before the work began; the server is busy")
        self.deadline_ms = deadline_ms


class NotLoaded(ServerError):
    """No version is loaded yet."""

    code = MeshCode.NOT_LOADED

    def __init__(self) -> None:
        super().__init__("no version is loaded yet; train or promote one, or read last_reload_error at /info")


class Overloaded(ServerError):
    """As many requests as allowed are being answered already."""

    code = ClientCode.OVERLOADED

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} requests are being answered already; come back in {RETRY_AFTER_S} s")
        self.limit = limit


class ReloadFailed(ServerError):
    """The version that the pointer names cannot be served; the one before it still is."""

    code = MeshCode.RELOAD_FAILED

    def __init__(self, version: str | None, reason: Exception) -> None:
        super().__init__(f"{version or 'the version pointer'} cannot be served: {reason}")
        self.version, self.reason = version, reason


class VersionNotHeld(ServerError):
    """The request is pinned to a version that is not in memory."""

    code = MeshCode.VERSION_NOT_HELD

    def __init__(self, version: str, held: Sequence[str]) -> None:
        super().__init__(f"version {version} is not held here; held: {', '.join(held) or 'none'}")
        self.version, self.held = version, list(held)


class WarmUpFailed(ServerError):
    """A version is whole, and cannot answer."""

    code = MeshCode.RELOAD_FAILED

    def __init__(self, reason: Exception) -> None:
        super().__init__(f"a first request to it failed: {type(reason).__name__}: {reason}")
        self.reason = reason


class BookUnknown(ServerError):
    """This version holds no such book."""

    code = ClientCode.BOOK_NOT_FOUND

    def __init__(self, book_id: int) -> None:
        super().__init__(f"book {book_id} is not in this version")
        self.book_id = book_id


class NoKnownBooks(ServerError):
    """This version knows no book of the history, so it cannot rank for its reader."""

    code = ClientCode.UNKNOWN_BOOKS

    def __init__(self, book_ids: Sequence[int] | I64) -> None:
        super().__init__(f"none of the {len(book_ids)} books of the history is in this version")
        self.unknown = list(map(int, book_ids))


class NoKnownFavourites(ServerError):
    """This version knows nothing of what a reader without a history told."""

    code = ClientCode.UNKNOWN_SUBJECTS

    def __init__(self) -> None:
        super().__init__("none of these favourites and traits tells this version anything")


class NoKnownSubjects(ServerError):
    """This version knows none of the subjects, so it has no vector for them."""

    code = ClientCode.UNKNOWN_SUBJECTS

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(f"none of the {len(names)} subjects is in this version")
        self.unknown = list(names)


class SubjectUnknown(ServerError):
    """This version has no such subject."""

    code = ClientCode.UNKNOWN_SUBJECTS

    def __init__(self, subject: str) -> None:
        super().__init__(f"subject {subject!r} is not in this version")
        self.unknown = [subject]


class VectorMissing(ServerError):
    """The book has no vector of the kind that was asked for, so nothing is near it."""

    code = MeshCode.NO_VECTOR

    def __init__(self, book_id: int, mode: str) -> None:
        super().__init__(f"book {book_id} has no vector for mode {mode}; ask for another mode or weight")
        self.book_id, self.mode = book_id, mode


class VectorUnfit(ServerError):
    """The vector is not of this version's subject space."""

    code = ClientCode.INVALID_REQUEST

    def __init__(self, dim: int, expected: int) -> None:
        super().__init__(f"the vector has {dim} dimensions, this version's subject vectors have {expected}")
        self.dim, self.expected = dim, expected
