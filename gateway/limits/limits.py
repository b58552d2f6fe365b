"""What is limited, by whom or what it is counted, and how much of it one may have."""

import hmac
import math
from collections.abc import Mapping
from typing import Final

from gateway.accounts.callers import Anonymous, Caller, Reader, Service
from gateway.errors import RateLimited
from gateway.limits.base import Rate, RequestCounts
from gateway.settings import LimitOptions

MINUTE_S: Final = 60
HOUR_S: Final = 3600
# Three numbers, as client libraries read them; the later drafts' one structured field few of them parse.
LIMIT, REMAINING, RESET = "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"
Headers = Mapping[str, str]


class Limits:
    """All methods raise RateLimited, and nothing else."""

    def __init__(self, counts: RequestCounts, options: LimitOptions, secret: bytes) -> None:
        self._counts = counts
        self._secret = secret
        self._anonymous = Rate(options.anonymous_per_minute, MINUTE_S)
        self._reader = Rate(options.reader_per_minute, MINUTE_S)
        self._key = Rate(options.key_per_minute, MINUTE_S)
        self._log_ins = Rate(options.log_ins_per_minute, MINUTE_S)
        self._log_ins_of_email = Rate(options.log_ins_of_email_per_minute, MINUTE_S)
        self._mails = Rate(options.mails_per_hour, HOUR_S)

    async def check_caller(self, caller: Caller, network: str) -> Headers:
        """Count any request: a reader's, a key's, or else that of a network; what is left of them."""
        match caller:
            case Reader(user_id=user_id):
                key, rate = f"reader:{user_id}", self._reader
            case Service(key_id=key_id, rate_per_minute=per_minute):
                key, rate = f"key:{key_id}", Rate(per_minute, MINUTE_S) if per_minute else self._key
            case Anonymous():
                key, rate = f"network:{network}", self._anonymous
        return await self._take(key, rate)

    async def check_log_in(self, network: str) -> None:
        """Count what somebody could guess at: passwords, and the tokens of mails and links."""
        await self._take(f"log-in:{network}", self._log_ins)

    async def check_email(self, email: str) -> None:
        """Count who tries an e-mail, from wherever they do."""
        await self._take(f"email:{self._hide(email)}", self._log_ins_of_email)

    async def check_password(self, user_id: int, network: str) -> None:
        """Count who tries the password of a reader whose token they have."""
        await self.check_log_in(network)
        await self._take(f"password:{user_id}", self._log_ins_of_email)

    async def check_mail(self, email: str) -> None:
        """Count what would send a mail."""
        await self._take(f"mail:{self._hide(email)}", self._mails)

    async def _take(self, key: str, rate: Rate) -> Headers:
        taken = await self._counts.take(key, rate)
        headers = {
            LIMIT: str(rate.requests),
            REMAINING: str(rate.count_left(taken)),
            RESET: str(math.ceil(taken.full_in_s)),
        }
        if taken.wait_s:
            raise RateLimited(rate.requests, rate.per_s, math.ceil(taken.wait_s), headers)
        return headers

    def _hide(self, email: str) -> str:
        # E-mails are nowhere but in the catalog: without the secret nobody who reads Redis can try addresses.
        return hmac.digest(self._secret, f"limit {email}".encode(), "sha256").hex()[:32]
