"""Readers with accounts, for tests that need some."""

from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx

PASSWORD = "correct horse battery staple"
_numbers = count(1)


@dataclass
class Person:
    """Somebody with an account, and a client that sends their access token."""

    client: httpx.Client
    email: str
    tokens: dict[str, Any]

    @property
    def user_id(self) -> int:
        return int(self.tokens["user_id"])

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens['access_token']}"}

    def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """A request with the access token."""
        return self.client.request(method, path, json=body, headers=self.headers)

    def get(self, path: str) -> Any:
        """The body of a GET that must succeed."""
        response = self.ask("GET", path)
        assert response.status_code == 200, response.text
        return response.json()


def new_email() -> str:
    """One that nobody has."""
    return f"reader{next(_numbers)}@example.org"


def sign_up(client: httpx.Client, **form: Any) -> Person:
    """A new reader, logged in."""
    form = {"email": new_email(), "name": "Ada", "password": PASSWORD, **form}
    response = client.post("/v1/auth/signup", json=form)
    assert response.status_code == 201, response.text
    return Person(client, form["email"], response.json())


def log_in(client: httpx.Client, email: str, password: str = PASSWORD) -> httpx.Response:
    return client.post("/v1/auth/login", json={"email": email, "password": password})


def code_of(response: httpx.Response) -> tuple[int, str]:
    """Status and code of a failure."""
    return response.status_code, response.json()["code"]
