"""What the gateway reads from the environment, once, at start-up."""

from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    HttpUrl,
    IPvAnyNetwork,
    PositiveFloat,
    PositiveInt,
    SecretStr,
)
from pydantic_core import PydanticCustomError

from catalog.settings import CatalogSettings
from contracts.shell import DEFAULT_PORTS, SERVER_NAMES, Host, Port, ServerName
from foundation.serving_rules import ServingRules
from foundation.settings import Options
from foundation.urls import OpenUrl, SecretUrl
from mail.settings import MailOptions
from middleware.settings import ConnectionLimits
from telemetry.settings import TelemetryOptions

REDIS_URL_EXPECTED: Final = (
    "Input should be redis://[user:password@]host[:port][/number]; "
    "in the password write / ? # @ as %2F %3F %23 %40"
)

Origin = Annotated[str, Field(pattern=r"^(\*|https?://[^/\s]+)$")]
"""Scheme, name and port of a web page, as browsers send it; or `*`."""


def _split(value: Any) -> Any:
    """`10.0.0.7, fd00::/8` as a list; JSON has been read already."""
    return [each.strip() for each in value.split(",") if each.strip()] if isinstance(value, str) else value


TrustedProxies = Annotated[tuple[IPvAnyNetwork, ...], BeforeValidator(_split)]


def _default_url(server: ServerName) -> HttpUrl:
    return HttpUrl(f"http://127.0.0.1:{DEFAULT_PORTS[server]}")


def _check_redis_url(url: SecretUrl) -> SecretUrl:
    # Whoever has no Redis need not wait for its import.
    from redis.asyncio import ConnectionPool

    try:
        pool = ConnectionPool.from_url(url.get_secret_value())
        pool.connection_class(**pool.connection_kwargs)
    except (TypeError, ValueError):
        # Not `from` the error, which may hold a piece of the password.
        raise PydanticCustomError("redis_url", REDIS_URL_EXPECTED) from None
    return url


class ServerUrls(Options):
    """Base URL of each model server."""

    embedder: OpenUrl = _default_url("embedder")
    similarity: OpenUrl = _default_url("similarity")
    als: OpenUrl = _default_url("als")
    metadata: OpenUrl = _default_url("metadata")
    semantic: OpenUrl = _default_url("semantic")


class MeshOptions(Options):
    """How the gateway reaches the model servers."""

    urls: ServerUrls = ServerUrls()
    poll_interval_s: PositiveFloat = 0.5
    """Seconds between two looks at what versions a server holds."""
    pool_size: PositiveInt = 64
    """Most connections to one server."""
    idle_connection_s: Annotated[float, Field(gt=0, lt=75)] = 30.0
    """Seconds that an unused connection is kept; the servers close theirs after 75."""

    def server_urls(self) -> dict[ServerName, str]:
        """Base URL of each model server, without a slash at the end."""
        return {name: str(getattr(self.urls, name)).rstrip("/") for name in SERVER_NAMES}


class BreakerOptions(Options):
    """When the gateway stops calling a server, Redis or the catalog that fails."""

    failures: PositiveInt = 5
    """Failures in a row after which a server, Redis or the catalog is left alone for a while."""
    open_s: PositiveFloat = 1.0
    """Seconds that it is left alone."""


class CacheOptions(Options):
    """What the gateway keeps so as not to fetch or compute it again."""

    redis_url: Annotated[SecretUrl, AfterValidator(_check_redis_url)] | None = None
    """Redis in which several gateways cache and count requests together; without it, each does so alone."""
    response_bytes: PositiveInt = 32 * 1024 * 1024
    """Memory for finished responses in this process."""
    cards: PositiveInt = 5000
    """Book cards kept in this process."""
    users: PositiveInt = 2000
    """Readers' histories kept in this process."""


class AccountOptions(Options):
    """How readers sign in."""

    secret: Annotated[SecretStr, Field(min_length=32)] | None = None
    """What access tokens are signed with, at least 32 characters; without it, a file of the home is made."""
    page_url: OpenUrl | None = None
    """Page of a client, to which mails and links lead with `#reset=TOKEN` or `#claim=TOKEN` at the end."""


class LimitOptions(Options):
    """How many requests one may make; all at once, or spread."""

    anonymous_per_minute: PositiveInt = 6000
    """Requests without a token from one address; of IPv6, from one /64 network."""
    reader_per_minute: PositiveInt = 3000
    """Requests of one reader."""
    key_per_minute: PositiveInt = 60_000
    """Requests with one service key that was made without a limit of its own."""
    log_ins_per_minute: PositiveInt = 120
    """Log-ins, sign-ups, claims, and changes and resets of passwords from one address."""
    log_ins_of_email_per_minute: PositiveInt = 30
    """Log-ins and sign-ups with one e-mail, and tries of one reader's password, from wherever."""
    mails_per_hour: PositiveInt = 10
    """Resets of the password that may be asked for one e-mail: each sends it a mail."""


class GatewayOptions(Options):
    """Where the gateway listens, which servers it calls, and how long it waits."""

    host: Host = "127.0.0.1"
    """Address that the gateway listens on."""
    port: Port = 8000
    """Port that the gateway listens on; 0 takes a free one."""
    gunicorn_workers: PositiveInt = 1
    """Processes that answer on its socket, where `bookmesh serve gateway` runs it."""
    deadline_s: PositiveFloat = 0.8
    """Seconds that one request may wait for SQL and all servers together; late answers are dropped."""
    write_timeout_s: PositiveFloat = 3.0
    """Seconds that a write may wait for the catalog."""
    cors_origins: list[Origin] = []
    """Web pages of other addresses that may call the API from a browser, as a JSON list; `["*"]` is all."""
    concurrency: PositiveInt = 128
    """Requests answered at once; one more is refused with `Retry-After`."""
    connections: ConnectionLimits = ConnectionLimits()
    trusted_proxies: TrustedProxies = ()
    """Addresses and networks, with commas, whose `X-Forwarded-For` is believed; anyone else's is ignored."""
    limits: LimitOptions = LimitOptions()
    snapshot_books: PositiveInt = 2000
    """Popular books that the gateway keeps for when no server answers."""
    mesh: MeshOptions = MeshOptions()
    breaker: BreakerOptions = BreakerOptions()
    cache: CacheOptions = CacheOptions()
    accounts: AccountOptions = AccountOptions()


class GatewaySettings(CatalogSettings):
    """All that the gateway's process reads."""

    telemetry: TelemetryOptions = TelemetryOptions()
    mail: MailOptions = MailOptions()
    serving: ServingRules = ServingRules()
    gateway: GatewayOptions = GatewayOptions()
