"""Who sends a request: anyone, a reader by their token or a service by its key; and for whom each may act."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from catalog.keys import KEY_PREFIX
from catalog.tables import Role
from gateway.accounts.errors import Forbidden, Unauthenticated
from gateway.deadline import Deadline
from gateway.errors import UserNotFound


class Scope(StrEnum):
    """What a service's key is for."""

    READERS = "readers"
    """To act for any reader."""


@dataclass(frozen=True, slots=True)
class Anonymous:
    """Anyone: no token was sent."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who has logged in."""

    user_id: int
    role: Role
    family_id: str
    """The log-in that the token came of."""

    @property
    def is_admin(self) -> bool:
        return self.role == Role.ADMIN


@dataclass(frozen=True, slots=True)
class Service:
    """A program with a key of its own."""

    key_id: int
    name: str
    scopes: frozenset[str]
    rate_per_minute: int | None
    """Requests that it may make; None: as the settings say."""


Caller = Anonymous | Reader | Service
ANYONE = Anonymous()


def check_acts_for(caller: Caller, user_id: int) -> None:
    """Whether a caller may read and write what is a reader's: the one place that says so.

    Raises Unauthenticated, Forbidden, or for another reader UserNotFound: nobody learns who there is.
    """
    match caller:
        case Anonymous():
            raise Unauthenticated
        case Service() if Scope.READERS not in caller.scopes:
            raise Forbidden(f"keys of the scope `{Scope.READERS}`")
        case Reader() if caller.user_id != user_id and not caller.is_admin:
            raise UserNotFound(user_id)


def check_is_reader(caller: Caller) -> Reader:
    """A reader who has logged in. Raises Unauthenticated, Forbidden."""
    match caller:
        case Reader():
            return caller
        case Service():
            raise Forbidden("readers who have logged in; a key acts for them under /v1/users/{user_id}")
    raise Unauthenticated


class Keys(Protocol):
    """Finds the service that a key is of."""

    async def find(self, key: str, deadline: Deadline) -> Service:
        """Raises Unauthenticated, or CatalogUnavailable for a key that was not seen lately."""
        ...


class Tokens(Protocol):
    """Finds the reader whom an access token is of."""

    async def find(self, token: str, deadline: Deadline) -> Reader:
        """Raises TokenExpired or Unauthenticated."""
        ...


class Callers:
    """Tells who sends a request from its `Authorization`."""

    def __init__(self, tokens: Tokens, keys: Keys) -> None:
        self._tokens = tokens
        self._keys = keys

    async def find(self, authorization: str, deadline: Deadline) -> Caller:
        """Raises Unauthenticated, TokenExpired, CatalogUnavailable."""
        scheme, _, credential = authorization.partition(" ")
        if scheme.lower() != "bearer" or not credential:
            raise Unauthenticated("`Authorization` is not `Bearer TOKEN`")
        if credential.startswith(KEY_PREFIX):
            return await self._keys.find(credential, deadline)
        return await self._tokens.find(credential, deadline)
