"""Why the gateway cannot answer a request, or does not start.

GatewayError
├── UserNotFound, BookNotFound, AuthorNotFound, RatingNotFound     no such thing
├── DismissalNotFound, NotOnShelf                  nothing to take back
├── AlreadyRated                                   a book to read that was read
├── NotAnIsbn                                      a text that is no ISBN
├── UnknownSubjects, UnknownAuthors, UnknownBooks  a list that names something unknown
├── LibraryUnreadable, LibraryRowNotFound          a library that a reader brings
├── CatalogUnavailable                             the database is locked, gone or of another release
├── RateLimited                                    more requests in a while than the limit
├── Overloaded                                     more requests at once than the limit
├── NothingLeft                                    every server that could have answered is unavailable
└── MeshError                                      mesh/errors.py: between the gateway and a model server

UnsafeSettings                                     a gateway that must not be started like this
"""

from collections.abc import Mapping, Sequence

from contracts.errors import ClientCode, CodedError
from foundation.settings import find_variable


class GatewayError(CodedError):
    """Base of everything that a client gets as an error; the message is about what to do."""


class UserNotFound(GatewayError):
    """No reader has this id."""

    code = ClientCode.USER_NOT_FOUND

    def __init__(self, user_id: int) -> None:
        super().__init__(f"no user {user_id}")
        self.user_id = user_id


class BookNotFound(GatewayError):
    """No book has this id or ISBN."""

    code = ClientCode.BOOK_NOT_FOUND

    def __init__(self, book: int | str) -> None:
        super().__init__(f"no book {book}")
        self.book = book


class AuthorNotFound(GatewayError):
    """No author has this id."""

    code = ClientCode.AUTHOR_NOT_FOUND

    def __init__(self, author_id: int) -> None:
        super().__init__(f"no author {author_id}; GET /v1/authors?prefix= finds them by name")
        self.author_id = author_id


class RatingNotFound(GatewayError):
    """The reader has not rated this book."""

    code = ClientCode.RATING_NOT_FOUND

    def __init__(self, user_id: int, book_id: int) -> None:
        super().__init__(f"user {user_id} has no rating of book {book_id}")
        self.user_id, self.book_id = user_id, book_id


class DismissalNotFound(GatewayError):
    """The reader has not dismissed this book."""

    code = ClientCode.DISMISSAL_NOT_FOUND

    def __init__(self, user_id: int, book_id: int) -> None:
        super().__init__(f"user {user_id} has not dismissed book {book_id}")
        self.user_id, self.book_id = user_id, book_id


class NotOnShelf(GatewayError):
    """The book is not among those that the reader wants to read."""

    code = ClientCode.NOT_ON_SHELF

    def __init__(self, user_id: int, book_id: int) -> None:
        super().__init__(f"book {book_id} is not on the shelf of user {user_id}")
        self.user_id, self.book_id = user_id, book_id


class AlreadyRated(GatewayError):
    """What the reader has rated they have read: it is not to be put on their shelf."""

    code = ClientCode.BOOK_RATED

    def __init__(self, user_id: int, book_id: int) -> None:
        super().__init__(f"user {user_id} has rated book {book_id}; take the rating back first")
        self.user_id, self.book_id = user_id, book_id


class NotAnIsbn(GatewayError):
    """The text is no ISBN."""

    code = ClientCode.ISBN_INVALID

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"{text!r} is not an ISBN: {reason}")
        self.text, self.reason = text, reason


class UnknownSubjects(GatewayError):
    """Subjects that the catalog does not have, with the nearest that it has."""

    code = ClientCode.UNKNOWN_SUBJECTS

    def __init__(self, unknown: Sequence[str], suggestions: Mapping[str, list[str]]) -> None:
        super().__init__(f"no such subject: {', '.join(unknown)}; GET /v1/subjects lists them all")
        self.unknown, self.suggestions = list(unknown), dict(suggestions)


class UnknownAuthors(GatewayError):
    """Authors whom the catalog does not have."""

    code = ClientCode.UNKNOWN_AUTHORS

    def __init__(self, unknown: Sequence[str]) -> None:
        super().__init__(f"no such author: {', '.join(unknown)}; leave them out")
        self.unknown = list(unknown)


class UnknownBooks(GatewayError):
    """Books, liked or rated, that the catalog does not have."""

    code = ClientCode.UNKNOWN_BOOKS

    def __init__(self, unknown: Sequence[int]) -> None:
        super().__init__(f"no such book: {', '.join(map(str, unknown))}; leave them out")
        self.unknown = list(unknown)


class LibraryUnreadable(GatewayError):
    """The file is no export that we read."""

    code = ClientCode.LIBRARY_UNREADABLE


class LibraryRowNotFound(GatewayError):
    """No row of the reader's libraries waits under this id."""

    code = ClientCode.LIBRARY_ROW_NOT_FOUND

    def __init__(self, row_id: int) -> None:
        super().__init__(f"no row {row_id} waits to be settled; GET /v1/me/import/review lists those that do")
        self.row_id = row_id


class CatalogUnavailable(GatewayError):
    """The database is locked, gone or of another release."""

    code = ClientCode.CATALOG_UNAVAILABLE

    def __init__(self, reason: str, *, blamed: str = "catalog") -> None:
        super().__init__(f"the catalog cannot be reached now ({reason}); try again")
        self.reason, self.blamed = reason, blamed


class RateLimited(GatewayError):
    """More requests in a while than the limit."""

    code = ClientCode.RATE_LIMITED

    def __init__(self, requests: int, per_s: int, retry_after_s: int, headers: Mapping[str, str]) -> None:
        super().__init__(f"more than {requests} such requests in {per_s} s; try again in {retry_after_s} s")
        self.requests, self.per_s, self.retry_after_s = requests, per_s, retry_after_s
        self.headers = {**headers, "Retry-After": str(retry_after_s)}


class Overloaded(GatewayError):
    """More requests at once than the limit."""

    code = ClientCode.OVERLOADED

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} requests are being answered already; try again")
        self.limit = limit


class NothingLeft(GatewayError):
    """Every server that could have answered is unavailable."""

    code = ClientCode.UPSTREAM_FAILED

    def __init__(self, unavailable: Sequence[str]) -> None:
        super().__init__(f"nobody can answer now: {', '.join(unavailable)} did not; try again")
        self.unavailable = list(unavailable)


class UnsafeSettings(Exception):
    """Somebody outside this machine would be served by what is good for it alone."""

    def __init__(self, remedies: Mapping[str, str]) -> None:
        told = "; ".join(f"{name}: {remedy}" for name, remedy in remedies.items())
        super().__init__(
            f"{find_variable('production')} refuses what is unsafe outside one machine; {told}; "
            "docs/operating.md tells why"
        )
        self.remedies = remedies
        """What to do, by the variable that it is about."""
