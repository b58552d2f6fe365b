"""URLs in settings, of which any may hold a password, so that none is shown whole; and URLs of our own."""

from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, HttpUrl, Secret
from pydantic_core import PydanticCustomError

HIDDEN: Final = "**********"
EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  (a look-up, no listening)
"""Hosts that stand for all addresses of a machine, and one of them."""


def hide_password(url: str) -> str:
    """Scheme, host, port and path of a URL: users, passwords and options are left out."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2] if parts.port is None else f"{parts.hostname}:{parts.port}"
    except ValueError:
        return HIDDEN
    # A password with a slash or a hash in it, which should be %2F or %23, would otherwise be cut in two.
    is_clear = "://" in url and url.count("@") == parts.netloc.count("@")
    return f"{parts.scheme}://{host}{parts.path}" if is_clear else HIDDEN


class SecretUrl(Secret[str]):
    """The URL of a database or a cache; whoever opens that checks it."""

    def _display(self) -> str:
        return hide_password(self.get_secret_value())


def _refuse_options(url: HttpUrl) -> HttpUrl:
    if url.query is not None or url.fragment is not None:
        raise PydanticCustomError("base_url", "Paths are appended to it: it must end before any ? and #")
    return url


def _refuse_user(url: HttpUrl) -> HttpUrl:
    if url.username is not None or url.password is not None:
        raise PydanticCustomError(
            "base_url", "Nobody asks for a user or a password there: leave out what ends with @"
        )
    return url


BaseUrl = Annotated[HttpUrl, AfterValidator(_refuse_options)]
"""The HTTP address of a service, which paths are appended to."""
OpenUrl = Annotated[BaseUrl, AfterValidator(_refuse_user)]
"""The same without a password, so that it may be shown."""


class SecretBaseUrl(Secret[BaseUrl]):
    """The HTTP address of a service that may ask for a password."""

    def _display(self) -> str:
        return hide_password(str(self.get_secret_value()))


class SecretHookUrl(Secret[HttpUrl]):
    """The HTTP address that something is posted to: whoever knows its path may post there too."""

    def _display(self) -> str:
        url = self.get_secret_value()
        return f"{url.scheme}://{url.host}:{url.port}/{HIDDEN}"


def local_url(host: str, port: int) -> str:
    """Where this machine reaches a process that listens there."""
    host = EVERYWHERE.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
