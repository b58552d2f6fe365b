"""Access tokens: signed, short-lived, and checked without a look at the database."""

import time
from typing import Any, Final

import jwt

from catalog.tables import Role
from gateway.accounts.callers import Reader
from gateway.accounts.errors import TokenExpired, Unauthenticated

ACCESS_S: Final = 15 * 60
"""How long an access token is good for."""
_ALGORITHM: Final = "HS256"
"""The only one that is accepted, whatever a token says of itself."""
_CLAIMS: Final = ["exp", "sub", "role", "family"]


class AccessTokens:
    """Signs and reads access tokens with one secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def sign(self, reader: Reader) -> str:
        """A token that says who a reader is, for ACCESS_S seconds."""
        claims = {"sub": str(reader.user_id), "role": reader.role, "family": reader.family_id}
        return jwt.encode({**claims, "exp": int(time.time()) + ACCESS_S}, self._secret, _ALGORITHM)

    def read(self, token: str) -> Reader:
        """Who a token says that it is of. Raises TokenExpired, Unauthenticated."""
        try:
            claims = jwt.decode(token, self._secret, [_ALGORITHM], {"require": _CLAIMS})
            return _parse(claims)
        except jwt.ExpiredSignatureError:
            raise TokenExpired("`POST /v1/auth/refresh` gives a new one") from None
        except (jwt.InvalidTokenError, ValueError):
            raise Unauthenticated("the token is none of ours; log in again") from None


def _parse(claims: dict[str, Any]) -> Reader:
    return Reader(int(claims["sub"]), Role(claims["role"]), str(claims["family"]))
