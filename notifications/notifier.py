"""Sends notifications, by mail and to a webhook; what cannot be sent is logged, and ends nothing."""

import hashlib
import hmac
import json
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from threading import Thread
from typing import Final
from uuid import uuid4

import httpx
import structlog

from mail.errors import MailNotSent
from mail.mailer import Mail, open_mailer
from notifications.notice import Notice
from notifications.settings import NotifySettings

PAUSES_S = (1.0, 5.0)
"""Between attempts."""
TIMEOUT_S: Final = 5.0
"""For each answer of the webhook."""
SIGNATURE: Final = "X-Bookmesh-Signature"
WORTH_ANOTHER: Final = {408, 425, 429}
"""Of the answers below 500 those that may be different in a moment."""

log = structlog.get_logger()


class _NotSent(Exception):
    """This time; the message names neither address nor path."""

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final


class Notifier:
    """Tells whom the settings name."""

    def __init__(self, settings: NotifySettings) -> None:
        self._options = settings.notify
        self._mailer = open_mailer(settings.mail, settings.home)

    def send(self, notice: Notice) -> bool:
        """Send it to everyone; whether all have it. Takes half a minute if nobody answers."""
        ways = [partial(self._mail, to, notice) for to in self._options.emails]
        if self._options.webhook_url is not None:
            # The same body in all attempts, so that a receiver knows what it has already.
            ways.append(partial(self._post, _encode(notice)))
        sent = [_attempt(way, notice.kind) for way in ways]
        return all(sent)

    def send_soon(self, notice: Notice) -> None:
        """Send it without keeping the caller waiting."""
        Thread(target=self.send, args=[notice], daemon=True).start()

    def _mail(self, to: str, notice: Notice) -> None:
        subject = f"[bookmesh {socket.gethostname()}] {notice.subject}"
        try:
            self._mailer.send(Mail(to, subject, notice.text))
        except MailNotSent as error:
            raise _NotSent(str(error)) from None

    def _post(self, body: bytes) -> None:
        assert self._options.webhook_url is not None
        headers = {"Content-Type": "application/json"}
        if (secret := self._options.webhook_secret) is not None:
            headers[SIGNATURE] = sign(body, secret.get_secret_value())
        url = str(self._options.webhook_url.get_secret_value())
        try:
            response = httpx.post(url, content=body, headers=headers, timeout=TIMEOUT_S, trust_env=False)
        except httpx.HTTPError as error:  # its message may hold the URL, which is a secret
            raise _NotSent(f"the webhook did not take it: {type(error).__name__}") from None
        if not response.is_success:
            is_final = response.status_code < 500 and response.status_code not in WORTH_ANOTHER
            raise _NotSent(f"the webhook answered {response.status_code}", is_final=is_final)


def sign(body: bytes, secret: str) -> str:
    """What a post says of itself: `sha256=`, and the HMAC of its body by the secret, in hex."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def _attempt(send: Callable[[], None], kind: str) -> bool:
    for pause_s in (*PAUSES_S, None):
        try:
            send()
        except _NotSent as error:
            again_in_s = None if error.is_final else pause_s
            log.warning("notification not sent", kind=kind, reason=str(error), again_in_s=again_in_s)
            if again_in_s is None:
                return False
            time.sleep(again_in_s)
        else:
            return True
    return False


def _encode(notice: Notice) -> bytes:
    content = {
        "id": uuid4().hex,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": socket.gethostname(),
        "kind": notice.kind,
        "subject": notice.subject,
        "text": notice.text,
        "facts": dict(notice.facts),
    }
    return json.dumps(content).encode()
