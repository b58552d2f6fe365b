"""How mails leave this installation."""

from typing import Annotated, Final
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from foundation.settings import Options
from foundation.urls import SecretUrl

DEFAULT_PORTS: Final = {"smtp": 25, "smtps": 465}
SMTP_URL_EXPECTED: Final = (
    "Input should be smtp://[user:password@]host[:port], or smtps:// for TLS from the start; "
    "in the password write / ? # @ as %2F %3F %23 %40"
)


def _check_smtp_url(url: SecretUrl) -> SecretUrl:
    try:
        parts = urlsplit(url.get_secret_value())
        is_good = parts.scheme in DEFAULT_PORTS and parts.hostname and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or unquote(parts.path).strip("/") or parts.query or parts.fragment:
        # Not `from` an error, which may hold a piece of the password.
        raise PydanticCustomError("smtp_url", SMTP_URL_EXPECTED) from None
    return url


Address = Annotated[str, Field(pattern=r"^[^\s@<>:/]+@[^\s@<>:/]+$", max_length=254)]
"""Of a mailbox; what looks like a URL may hold a password."""


class MailOptions(Options):
    """The one mailer."""

    smtp_url: Annotated[SecretUrl, AfterValidator(_check_smtp_url)] | None = None
    """Mail server; without it, mails are files in the folder `outbox` of the home."""
    sender: Address = "bookmesh@localhost"
    """Address that mails come from."""
