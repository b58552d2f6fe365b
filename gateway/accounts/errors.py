"""Why a request is refused for who sends it, and what an account cannot do.

AccountError
├── Unauthenticated                 no token, or none that is good
├── TokenExpired                    a token that was good
├── TokenReused                     a refresh token that had been exchanged already
├── WrongCredentials                no such e-mail with this password
├── Forbidden                       known, and not allowed
├── EmailTaken                      another account has this e-mail
├── ExternalIdTaken                 a service has brought another reader under this id
└── LinkInvalid                     the token of a mail or a link, used or expired, or none of ours
"""

from contracts.errors import ClientCode
from gateway.errors import GatewayError


class AccountError(GatewayError):
    """Base of all."""


class Unauthenticated(AccountError):
    """The request names nobody who may make it."""

    code = ClientCode.UNAUTHENTICATED

    def __init__(
        self, reason: str = "this needs a token or a key: send `Authorization: Bearer TOKEN`"
    ) -> None:
        super().__init__(reason)


class TokenExpired(AccountError):
    """The token was good, and is too old."""

    code = ClientCode.TOKEN_EXPIRED

    def __init__(self, remedy: str) -> None:
        super().__init__(f"the token has expired; {remedy}")


class TokenReused(AccountError):
    """A refresh token came a second time, so that somebody else may have it."""

    code = ClientCode.TOKEN_REUSED

    def __init__(self) -> None:
        super().__init__("this refresh token was used before, so all that came of its log-in is void; log in")


class WrongCredentials(AccountError):
    """No account has this e-mail and this password; which of them is wrong is not told."""

    code = ClientCode.WRONG_CREDENTIALS


class Forbidden(AccountError):
    """We know who asks, and they may not."""

    code = ClientCode.FORBIDDEN

    def __init__(self, needed: str) -> None:
        super().__init__(f"this is for {needed}")


class EmailTaken(AccountError):
    """Another account has this e-mail."""

    code = ClientCode.EMAIL_TAKEN

    def __init__(self) -> None:
        super().__init__("an account has this e-mail already; log in, or reset its password")


class ExternalIdTaken(AccountError):
    """The id stands for a reader of whom something else was told."""

    code = ClientCode.EXTERNAL_ID_TAKEN

    def __init__(self, user_id: int) -> None:
        super().__init__(
            f"another form with this `external_id` made user {user_id}; send that, or another id"
        )
        self.user_id = user_id


class LinkInvalid(AccountError):
    """The token is none of ours, or was used, or is too old: all the same to whoever guesses."""

    code = ClientCode.LINK_INVALID

    def __init__(self) -> None:
        super().__init__("this link is not good, or not any more; ask for a new one")
