"""Passwords: hashed by Argon2id in threads, so many at once."""

import base64
import unicodedata
from collections.abc import Callable
from typing import Final, TypeVar

import anyio
import anyio.to_thread
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from gateway.errors import Overloaded

ResultT = TypeVar("ResultT")

SHORTEST: Final = 8
LONGEST: Final = 256
"""Characters of a password."""
MOST_AT_ONCE: Final = 2
"""Each takes 64 MiB, and a core for some 50 ms."""
MOST_WAITING: Final = 16
"""One more is refused: else who guesses passwords would keep readers waiting for books."""
_HASHER: Final = PasswordHasher()


def hash_password(password: str) -> str:
    """What is stored of a password: parameters, salt and digest; takes some 50 ms."""
    return _HASHER.hash(_encode(password))


class Passwords:
    """Hashes and compares passwords without blocking."""

    def __init__(self) -> None:
        self._n_asked = 0
        self._limiter = anyio.CapacityLimiter(MOST_AT_ONCE)

    async def hash(self, password: str) -> str:
        """As hash_password. Raises Overloaded."""
        return await self._run(lambda: hash_password(password))

    async def is_right(self, password: str, stored: str | None) -> bool:
        """Whether a password is that of a hash; without one never, after the same time. Raises Overloaded."""

        def compare() -> bool:
            try:
                return _HASHER.verify(stored or _build_hash(_HASHER), _encode(password))
            except VerifyMismatchError:
                return False

        return await self._run(compare)

    async def _run(self, work: Callable[[], ResultT]) -> ResultT:
        if self._n_asked >= MOST_AT_ONCE + MOST_WAITING:
            raise Overloaded(self._n_asked)
        self._n_asked += 1
        try:
            return await anyio.to_thread.run_sync(work, limiter=self._limiter)
        finally:
            self._n_asked -= 1


def _encode(password: str) -> bytes:
    # One password typed on two keyboards may be two sequences of code points (NIST SP 800-63B, 5.1.1.2).
    return unicodedata.normalize("NFKC", password).encode()


def _build_hash(hasher: PasswordHasher) -> str:
    """A hash of no password, which takes as long to compare with as any."""
    salt, digest = (
        base64.b64encode(bytes(n)).decode().rstrip("=") for n in (hasher.salt_len, hasher.hash_len)
    )
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${costs}${salt}${digest}"
