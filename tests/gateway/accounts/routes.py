"""The table of who may call what: tests try each route by it, and docs/api.md shows it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from tests.gateway.accounts.people import PASSWORD, Person, log_in, new_email
from tests.gateway.accounts.test_me_import import LIBRARY

NO_VERSION: Final = "20200101T000000Z-000000"
OK: Final = None
"""Let through; else the code of the refusal."""
NOBODY, FOREIGN, FORBIDDEN = "unauthenticated", "user_not_found", "forbidden"


class Access(StrEnum):
    """Who may call a route, in the words of the document."""

    ANYONE = "anyone"
    READER = "readers, for themselves"
    USER = "that reader, services, admins"
    SERVICE = "services"
    ADMIN = "admins"


CALLERS: Final = (
    *("no token", "that reader's token", "another reader's token"),
    *("a key of scope `readers`", "another key", "an admin's token"),
)
OUTCOMES: Final[Mapping[Access, tuple[str | None, ...]]] = {
    Access.ANYONE: (OK, OK, OK, OK, OK, OK),
    Access.READER: (NOBODY, OK, OK, FORBIDDEN, FORBIDDEN, OK),
    Access.USER: (NOBODY, OK, FOREIGN, OK, FORBIDDEN, OK),
    Access.SERVICE: (NOBODY, FORBIDDEN, FORBIDDEN, OK, FORBIDDEN, FORBIDDEN),
    Access.ADMIN: (NOBODY, FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN, OK),
}
"""What each of CALLERS gets. Where a token is needed, one that is not good gets 401 too."""
BAD_TOKENS: Final = {"expired": "token_expired", "forged": NOBODY, "alg:none": NOBODY}


@dataclass(frozen=True)
class Route:
    """One operation, or a use of it by `?user_id=`, and a request that works for whoever may send it."""

    method: str
    path: str
    """As the OpenAPI document has it, and further parameters."""
    access: Access
    body: Callable[[Person], Any] = lambda person: None
    refused_later: str | None = None
    """The code for whoever is let through: a guess at a mailed token is none."""
    is_last: bool = False
    """It ends the log-in that the request is made with."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def template(self) -> str:
        return self.path.partition("?")[0]


def _sign_up(person: Person) -> Any:
    return {"email": new_email(), "name": "Ada", "password": PASSWORD}


def _refresh(person: Person) -> Any:
    return {"refresh_token": log_in(person.client, person.email).json()["refresh_token"]}


def _event(person: Person) -> Any:
    return {"user_id": person.user_id, "events": [{"kind": "view", "book_id": 11, "at": 0}]}


def _always(body: Any) -> Callable[[Person], Any]:
    return lambda person: body


def _of_admin(
    method: str, path: str, body: Any = None, later: str | None = None, *, is_last: bool = False
) -> Route:
    return Route(method, f"/v1/admin{path}", Access.ADMIN, _always(body), later, is_last)


_RATING = _always({"rating": 8})
_ANYONE, _READER, _USER = Access.ANYONE, Access.READER, Access.USER
_ME, _USERS = "/v1/me", "/v1/users/{user_id}"
_PASSWORDS = {"current_password": PASSWORD, "new_password": PASSWORD}
_LINK = {"token": "a-guess", "new_password": PASSWORD}

ROUTES: Final = [
    Route("GET", "/v1/books", _ANYONE),
    Route("GET", "/v1/books/popular", _ANYONE),
    Route("GET", "/v1/books/popular?user_id={user_id}", _USER),
    Route("GET", "/v1/books/isbn/{isbn}", _ANYONE),
    Route("GET", "/v1/books/{book_id}", _ANYONE),
    Route("GET", "/v1/books/{book_id}/authors", _ANYONE),
    Route("GET", "/v1/books/{book_id}/similar", _ANYONE),
    Route("GET", "/v1/books/{book_id}/similar?user_id={user_id}", _USER),
    Route("GET", "/v1/search?q=space", _ANYONE),
    Route("GET", "/v1/search?q=space&user_id={user_id}", _USER),
    Route("GET", "/v1/search/semantic?q=space", _ANYONE),
    Route("GET", "/v1/search/semantic?q=space&user_id={user_id}", _USER),
    Route("GET", "/v1/subjects", _ANYONE),
    Route("GET", "/v1/authors?prefix=a", _ANYONE),
    Route("GET", "/v1/authors/{author_id}", _ANYONE),
    Route("POST", "/v1/recommendations", _ANYONE, _always({"liked": [{"book_id": 11}]})),
    Route("POST", "/v1/auth/signup", _ANYONE, _sign_up),
    Route("POST", "/v1/auth/login", _ANYONE, lambda who: {"email": who.email, "password": PASSWORD}),
    Route("POST", "/v1/auth/refresh", _ANYONE, _refresh),
    Route("POST", "/v1/auth/logout", _READER, is_last=True),
    Route("POST", "/v1/auth/logout-everywhere", _READER, is_last=True),
    Route("POST", "/v1/auth/password", _READER, _always(_PASSWORDS), is_last=True),
    Route("POST", "/v1/auth/reset", _ANYONE, lambda who: {"email": new_email()}),
    Route("POST", "/v1/auth/reset/confirm", _ANYONE, _always(_LINK), "link_invalid"),
    Route(
        "POST", "/v1/auth/claim", _ANYONE, lambda who: {"token": "a-guess", **_sign_up(who)}, "link_invalid"
    ),
    Route("GET", _ME, _READER),
    Route("PATCH", _ME, _READER, _always({"country": "Chile"})),
    Route("DELETE", _ME, _READER, is_last=True),
    Route("GET", f"{_ME}/export", _READER),
    Route("GET", f"{_ME}/statistics", _READER),
    Route("POST", f"{_ME}/import", _READER, _always(LIBRARY)),
    Route("GET", f"{_ME}/import/review", _READER),
    Route("POST", f"{_ME}/import/review/{{row_id}}", _READER, _always({"book_id": None})),
    Route("GET", f"{_ME}/recommendations", _READER),
    Route("GET", f"{_ME}/recommendations/{{book_id}}/why", _READER),
    Route("GET", f"{_ME}/ratings", _READER),
    Route("POST", f"{_ME}/ratings", _READER, _always({"ratings": [{"book_id": 11, "rating": 8}]})),
    Route("PUT", f"{_ME}/ratings/{{book_id}}", _READER, _RATING),
    Route("DELETE", f"{_ME}/ratings/{{book_id}}", _READER, _RATING),
    Route("GET", f"{_ME}/dismissals", _READER),
    Route("PUT", f"{_ME}/dismissals/{{book_id}}", _READER),
    Route("DELETE", f"{_ME}/dismissals/{{book_id}}", _READER),
    Route("GET", f"{_ME}/shelf", _READER),
    Route("PUT", f"{_ME}/shelf/{{book_id}}", _READER),
    Route("DELETE", f"{_ME}/shelf/{{book_id}}", _READER),
    Route("POST", "/v1/events", _USER, _event),
    Route("POST", "/v1/users", Access.SERVICE, _always({})),
    Route("GET", f"{_USERS}/recommendations", _USER),
    Route("GET", f"{_USERS}/recommendations/{{book_id}}/why", _USER),
    Route("GET", f"{_USERS}/ratings", _USER),
    Route("PUT", f"{_USERS}/ratings/{{book_id}}", _USER, _RATING),
    Route("DELETE", f"{_USERS}/ratings/{{book_id}}", _USER, _RATING),
    Route("GET", f"{_USERS}/dismissals", _USER),
    Route("PUT", f"{_USERS}/dismissals/{{book_id}}", _USER),
    Route("DELETE", f"{_USERS}/dismissals/{{book_id}}", _USER),
    Route("GET", f"{_USERS}/shelf", _USER),
    Route("PUT", f"{_USERS}/shelf/{{book_id}}", _USER),
    Route("DELETE", f"{_USERS}/shelf/{{book_id}}", _USER),
    # What would change this catalog is about what is not there; tests/gateway/api/admin has the rest.
    _of_admin("GET", "/books"),
    _of_admin("POST", "/books", {"title": "A book", "isbns": ["1"]}, "isbn_invalid"),
    _of_admin("GET", "/books/{book_id}", later="book_not_found"),
    _of_admin("PATCH", "/books/{book_id}", {"year": 1969}, "book_not_found"),
    _of_admin("POST", "/books/{book_id}/merge", {"into": 11}, "book_not_found"),
    _of_admin("POST", "/books/{book_id}/split", later="book_not_found"),
    _of_admin("POST", "/books/{book_id}/withdraw", later="book_not_found"),
    _of_admin("POST", "/books/{book_id}/restore", later="book_not_found"),
    _of_admin("POST", "/books/{book_id}/editions", {"isbn": "9780306406157"}, "book_not_found"),
    _of_admin("PUT", "/editions/{isbn}", {"book_id": 987_654}, "book_not_found"),
    _of_admin("DELETE", "/editions/{isbn}", later="book_not_found"),
    _of_admin("PATCH", "/authors/{author_id}", {"name": "Author 1"}),
    _of_admin("POST", "/authors/{author_id}/merge", {"into": 1}, "edit_conflict"),
    _of_admin("GET", "/subjects/withdrawn"),
    _of_admin("POST", "/subjects/rename", {"name": "Fog", "new_name": "Mist"}, "unknown_subjects"),
    _of_admin("POST", "/subjects/merge", {"name": "Fog", "into": "Soup"}, "unknown_subjects"),
    _of_admin("POST", "/subjects/withdraw", {"name": "Fog"}, "unknown_subjects"),
    _of_admin("POST", "/subjects/restore", {"name": "Fog"}, "unknown_subjects"),
    _of_admin("GET", "/versions"),
    _of_admin("GET", "/versions/{version}", later="version_not_found"),
    _of_admin("POST", "/promote", {"version": NO_VERSION}),
    _of_admin("POST", "/rollback", {"from_version": NO_VERSION}),
    _of_admin("POST", "/refresh", {}),
    _of_admin("POST", "/train", {}),
    _of_admin("GET", "/jobs"),
    _of_admin("GET", "/jobs/{job_id}", later="job_not_found"),
    _of_admin("POST", "/jobs/{job_id}/cancel", later="job_not_found"),
    _of_admin("GET", "/users"),
    _of_admin("POST", "/find-user", {"email": "nobody@example.org"}),
    _of_admin("GET", "/users/{user_id}"),
    _of_admin("PUT", "/users/{user_id}/role", {"role": "reader"}),
    _of_admin("POST", "/users/{user_id}/logout", is_last=True),
    _of_admin("POST", "/users/{user_id}/claim-link", later="account_taken"),
    _of_admin("DELETE", "/users/{user_id}", is_last=True),
    _of_admin("GET", "/keys"),
    _of_admin("POST", "/keys", {"name": "of-the-table", "scopes": ["readers"]}),
    _of_admin("DELETE", "/keys/{name}", later="key_not_found"),
    _of_admin("GET", "/imports"),
    _of_admin("POST", "/imports", {"source": "goodbooks", "folder": "shop"}),
    _of_admin("GET", "/imports/{report_id}", later="report_not_found"),
    _of_admin("GET", "/audit"),
    Route("GET", "/v1/model", _ANYONE),
    Route("GET", "/v1/version", _ANYONE),
    Route("GET", "/v1/health", _ANYONE),
    Route("GET", "/health/live", _ANYONE),
    Route("GET", "/health/ready", _ANYONE),
    Route("GET", "/metrics", _ANYONE),
]
