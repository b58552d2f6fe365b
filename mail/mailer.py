"""Sends mails: to a mail server, or into a folder where an operator finds them."""

import os
import secrets
import smtplib
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from mail.errors import MailNotSent
from mail.settings import DEFAULT_PORTS, MailOptions

TIMEOUT_S: Final = 10.0
"""For each answer of the mail server."""


@dataclass(frozen=True, slots=True)
class Mail:
    """What one person is to read."""

    to: str
    subject: str
    text: str


class Mailer(Protocol):
    """Where mails go; blocks, so that whoever is asynchronous calls it in a thread."""

    def send(self, mail: Mail) -> None:
        """Hand a mail over. Raises MailNotSent."""
        ...

    def check(self) -> None:
        """Raise MailNotSent if no mail would be taken now; none is sent."""
        ...


def open_mailer(options: MailOptions, home: Path) -> Mailer:
    """The mail server of the settings, or else the outbox of a home; nothing is connected to yet."""
    if options.smtp_url is None:
        return Outbox(home / "outbox", options.sender)
    return MailServer(options.smtp_url.get_secret_value(), options.sender)


class Outbox:
    """A folder with a file a mail, which mail programs open."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    def send(self, mail: Mail) -> None:
        message = _compose(mail, self._sender)
        name = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(4)}.eml"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # A mail may hold a token: it is for its reader and the operator alone.
            partial = self._folder / f".{name}"
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(message.as_bytes())
            partial.rename(self._folder / name)
        except OSError as error:
            raise MailNotSent(f"{self._folder} cannot be written to: {error.strerror}") from error

    def check(self) -> None:
        existing = next(each for each in (self._folder, *self._folder.parents) if each.exists())
        if not os.access(existing, os.W_OK | os.X_OK):
            raise MailNotSent(f"{existing} cannot be written to")


class MailServer:
    """A server that takes mails by SMTP, one connection a mail."""

    def __init__(self, url: str, sender: str) -> None:
        self._url = urlsplit(url)
        self._sender = sender

    def send(self, mail: Mail) -> None:
        message = _compose(mail, self._sender)
        self._use(lambda server: server.send_message(message))

    def check(self) -> None:
        self._use(lambda server: server.noop())

    def _use(self, use: Callable[[smtplib.SMTP], object]) -> None:
        try:
            with _connect(self._url) as server:
                use(server)
        except smtplib.SMTPResponseException as error:
            raise MailNotSent(f"the mail server answered {error.smtp_code}") from None
        # Not `from` the error: that of a refused recipient holds the address.
        except (smtplib.SMTPException, OSError) as error:
            raise MailNotSent(f"the mail server did not take it: {type(error).__name__}") from None


def _compose(mail: Mail, sender: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = sender, mail.to, mail.subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence note answers it
    message.set_content(mail.text)
    return message


def _connect(url: SplitResult) -> smtplib.SMTP:
    """A server that has been told who we are, if the URL says; no password is sent in the clear."""
    host, port, context = (
        url.hostname or "",
        url.port or DEFAULT_PORTS[url.scheme],
        ssl.create_default_context(),
    )
    if url.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
    try:
        server.ehlo()
        if url.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=context)
            server.ehlo()
        elif url.scheme == "smtp" and url.username:
            raise MailNotSent("the mail server offers no TLS, so it is not sent the password")
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
    except BaseException:
        server.close()
        raise
    return server
