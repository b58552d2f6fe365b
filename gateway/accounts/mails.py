"""The mails about accounts, sent while whoever asked has their answer already."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

import anyio.to_thread
import structlog

from catalog import tokens
from catalog.accounts import StoredAccount
from catalog.tables import Purpose
from gateway.catalog import Catalog
from gateway.errors import CatalogUnavailable
from mail.errors import MailNotSent
from mail.mailer import Mail, Mailer

RESET_S: Final = 30 * 60
"""How long a mailed token is good for."""
PAUSES_S: Final = (1.0, 10.0, 60.0)
"""Before each further attempt, when the mail server does not take a mail."""
DRAIN_S: Final = 5.0
"""How long a gateway that stops waits for mails under way."""
_RESET_TEXT: Final = """Hello,

somebody, you probably, asked to set a new password for your account.
Within half an hour you can do so with this:

{link}

If it was not you, do nothing: your password stays as it is.
"""

log = structlog.get_logger()


class Mails:
    """Writes and sends them; what fails is logged, by user_id and without the address."""

    def __init__(self, catalog: Catalog, mailer: Mailer, *, page_url: str | None) -> None:
        self._catalog = catalog
        self._mailer = mailer
        self._page_url = page_url
        self._under_way: set[asyncio.Task[None]] = set()

    def build_claim_link(self, token: str) -> str:
        """Where a token leads that gives an imported reader an account."""
        return build_link(self._page_url, Purpose.CLAIM, token)

    def send_reset(self, account: StoredAccount) -> None:
        """Mail a reader a token to set a new password with."""
        self._begin(self._send_reset(account))

    async def close(self) -> None:
        """Let what is under way end, for a while."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=DRAIN_S)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        # The event loop alone would not keep a task from being collected.
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _send_reset(self, account: StoredAccount) -> None:
        try:
            token = await self._catalog.write(
                lambda session: tokens.issue(session, account.user_id, Purpose.RESET, good_for_s=RESET_S)
            )
        except CatalogUnavailable as error:
            log.error("mail not sent", user_id=account.user_id, reason=error.reason)
            return
        link = build_link(self._page_url, Purpose.RESET, token)
        mail = Mail(account.email, "Your new password", _RESET_TEXT.format(link=link))
        await self._send(mail, account.user_id)

    async def _send(self, mail: Mail, user_id: int) -> None:
        for pause_s in (*PAUSES_S, None):
            try:
                await anyio.to_thread.run_sync(self._mailer.send, mail)
            except MailNotSent as error:
                log.warning("mail not sent", user_id=user_id, reason=str(error), again_in_s=pause_s)
                if pause_s is None:
                    return
                await asyncio.sleep(pause_s)
            else:
                return


def build_link(page_url: str | None, purpose: Purpose, token: str) -> str:
    """Where a token leads; without a page, the token itself.

    Behind the #, where browsers keep it: no log of any server has it.
    """
    return token if page_url is None else f"{page_url}#{purpose}={token}"
