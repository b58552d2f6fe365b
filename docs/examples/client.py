"""A client of bookmesh in Python: logs in, refreshes, repeats, pages, and tells what came of a list.

It needs httpx alone. Try it against a mesh of the demo catalog, as a reader who is made and deleted again:

    python client.py http://127.0.0.1:8000
"""

import sys
import time
from collections.abc import Generator, Iterator
from threading import Lock
from typing import Any, Literal, TypedDict
from uuid import uuid4

import httpx

PAGE_SIZE = 100
N_TRIES = 3

Kind = Literal["impression", "view", "click", "like", "to_read", "dismiss"]


class Book(TypedDict):
    """A book on a page or in a list; later releases may tell more of it."""

    book_id: int
    title: str
    authors: list[str]
    year: int | None
    isbns: list[str]
    main_subject: str | None


class BookList(TypedDict):
    """Books, best first."""

    list_id: str
    version: str
    mode: str
    degraded: list[str]
    items: list[Book]


class RatedBook(Book):
    """A book of the reader's history."""

    rating: float | None


class Tokens(TypedDict):
    """What a log-in is made of."""

    user_id: int
    access_token: str
    refresh_token: str


class Problem(Exception):
    """A request was refused or failed: switch on `code`, show the message, quote `request_id`."""

    def __init__(self, response: httpx.Response) -> None:
        has_problem = response.headers.get("content-type") == "application/problem+json"
        problem: dict[str, Any] = response.json() if has_problem else {"detail": response.text[:200]}
        super().__init__(f"{response.status_code}: {problem['detail']}")
        self.status = response.status_code
        self.code: str = problem.get("code", "unknown")
        self.request_id: str = problem.get("request_id", "")
        self.unknown: list[str] = problem.get("unknown", [])


class LogIn(httpx.Auth):
    """Sends the access token; once it has expired, exchanges the refresh token for a new pair."""

    requires_response_body = True

    def __init__(self, url: str, tokens: Tokens) -> None:
        self.tokens = tokens
        self._refresh_url = f"{url}/v1/auth/refresh"
        self._lock = Lock()

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """The request, and if need be the refresh and the request again."""
        used = self.tokens["access_token"]
        request.headers["Authorization"] = f"Bearer {used}"
        response = yield request
        if response.status_code != 401 or response.json()["code"] != "token_expired":
            return
        # A refresh token is good once: of several threads only one may bring it.
        with self._lock:
            if self.tokens["access_token"] == used:
                body = {"refresh_token": self.tokens["refresh_token"]}
                response = yield httpx.Request("POST", self._refresh_url, json=body)
                if response.is_error:
                    return
                self.tokens = response.json()
        request.headers["Authorization"] = f"Bearer {self.tokens['access_token']}"
        yield request


class Bookmesh:
    """A reader's client once they have logged in, and anyone's before; for a service, give its key.

    All methods raise Problem, and httpx.TransportError if nobody answers.
    """

    def __init__(self, url: str, *, key: str | None = None) -> None:
        self._url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(base_url=self._url, headers=headers, timeout=10)

    def __enter__(self) -> "Bookmesh":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def sign_up(self, email: str, name: str, password: str, **preferences: Any) -> None:
        """Become a reader, with favourite subjects and more if you like."""
        body = {"email": email, "name": name, "password": password, **preferences}
        self._keep(self.send("POST", "/v1/auth/signup", body))

    def log_in(self, email: str, password: str) -> None:
        self._keep(self.send("POST", "/v1/auth/login", {"email": email, "password": password}))

    def recommend(self, k: int = 10) -> BookList:
        """Books for the reader who has logged in."""
        answer: BookList = self.send("GET", "/v1/me/recommendations", k=k)
        return answer

    def search(self, words: str, k: int = 10) -> BookList:
        answer: BookList = self.send("GET", "/v1/search", q=words, k=k)
        return answer

    def rate(self, book: Book, rating: float | None) -> None:
        """1 to 10; None: read, not judged. The very next list knows it."""
        self.send("PUT", f"/v1/me/ratings/{book['book_id']}", {"rating": rating})

    def list_books(self, **filters: str | int) -> Iterator[Book]:
        """All books of a subject, an author, a language or years, popular ones first."""
        return self.read_pages("/v1/books", **filters)

    def list_ratings(self) -> Iterator[RatedBook]:
        return self.read_pages("/v1/me/ratings")

    def tell(self, kind: Kind, books: list[Book], shown: BookList, *, surface: str) -> None:
        """Say what the reader did with books of a list; by its id it is known which list that was."""
        positions = {book["book_id"]: place for place, book in enumerate(shown["items"], start=1)}
        of_all = {"kind": kind, "at": int(time.time()), "list_id": shown["list_id"], "surface": surface}
        ids = [book["book_id"] for book in books]
        events = [{**of_all, "book_id": book_id, "position": positions[book_id]} for book_id in ids]
        self.send("POST", "/v1/events", {"events": events})

    def read_pages(self, path: str, **params: str | int) -> Iterator[Any]:
        """The items of all pages, each page fetched when it is needed."""
        offset, total = 0, 1
        while offset < total:
            page = self.send("GET", path, **params, limit=PAGE_SIZE, offset=offset)
            yield from page["items"]
            offset, total = offset + PAGE_SIZE, page["total"]

    def send(self, method: str, path: str, body: Any = None, **params: str | int) -> Any:
        """The body of the answer; who is told to come back later does so, a few times."""
        for n_left in reversed(range(N_TRIES)):
            response = self._http.request(method, path, json=body, params=params)
            if response.status_code not in (429, 503) or not n_left:
                break
            time.sleep(int(response.headers["Retry-After"]))
        if response.is_error:
            raise Problem(response)
        return response.json() if response.content else None

    def _keep(self, tokens: Tokens) -> None:
        self._http.auth = LogIn(self._url, tokens)


def main(url: str) -> None:
    """What a reader does in their first minute."""
    with Bookmesh(url) as client:
        client.sign_up(f"{uuid4().hex}@example.org", "Ada", "correct horse", favourite_subjects=["War"])
        found = client.search("pride and prejudice", k=1)["items"][0]
        client.rate(found, 9)
        shown = client.recommend(k=5)
        for book in shown["items"]:
            print(f"{book['title']} ({', '.join(book['authors'])})")
        client.tell("impression", shown["items"], shown, surface="home")
        client.tell("click", shown["items"][:1], shown, surface="home")
        print(f"{sum(1 for _ in client.list_books(subject='War'))} books about war")
        print("rated:", ", ".join(book["title"] for book in client.list_ratings()))
        try:
            client.rate({**found, "book_id": 2**31 - 1}, 9)
        except Problem as problem:
            print(f"refused: {problem} ({problem.code})")
        client.send("DELETE", "/v1/me")


if __name__ == "__main__":
    main(*sys.argv[1:])
