"""`BOOKMESH_PRODUCTION`: what is good for one machine alone is refused when others are served."""

from collections.abc import Iterator

from catalog import accounts
from catalog.accounts import DEMO_EMAIL
from catalog.database import Database
from foundation.mesh_token import is_loopback
from foundation.settings import find_variable
from foundation.urls import SecretUrl
from gateway.errors import UnsafeSettings
from gateway.settings import GatewaySettings
from mail.settings import MailOptions


def check_production(settings: GatewaySettings, db: Database) -> None:
    """Raise UnsafeSettings, with all that must change."""
    if not settings.production:
        return
    remedies = {find_variable(*path): remedy for path, remedy in _find_unsafe(settings)}
    with db.session() as session:
        demo = accounts.find_by_email(session, DEMO_EMAIL)
    if demo is not None:
        remedies["the account of the demo"] = f"`bookmesh users delete {demo.user_id}`"
    if remedies:
        raise UnsafeSettings(remedies)


def _find_unsafe(settings: GatewaySettings) -> Iterator[tuple[tuple[str, ...], str]]:
    """Where each setting is that has to change, and what to do."""
    gateway, mail = settings.gateway, settings.mail
    if gateway.accounts.secret is None:
        yield ("gateway", "accounts", "secret"), "set it, the same for all gateways"
    if gateway.accounts.page_url is not None and gateway.accounts.page_url.scheme != "https":
        yield ("gateway", "accounts", "page_url"), "must begin with https://"
    if mail.smtp_url is None:
        yield ("mail", "smtp_url"), "name a mail server"
    if mail.sender == MailOptions().sender:
        yield ("mail", "sender"), "set it"
    if not gateway.trusted_proxies or not all(each.prefixlen for each in gateway.trusted_proxies):
        yield ("gateway", "trusted_proxies"), "name the reverse proxies that end TLS, and nobody else"
    if not all(origin.startswith("https://") for origin in gateway.cors_origins):
        yield ("gateway", "cors_origins"), "name pages, each with https://"
    if _is_open_redis(gateway.cache.redis_url):
        yield ("gateway", "cache", "redis_url"), "Redis on another machine needs a password"
    has_servers_elsewhere = not all(is_loopback(url.host or "") for _, url in gateway.mesh.urls)
    if has_servers_elsewhere and settings.find_mesh_token() is None:
        yield ("mesh_token",), "set it, since model servers are on other machines"


def _is_open_redis(url: SecretUrl | None) -> bool:
    if url is None:
        return False
    from redis.asyncio import ConnectionPool  # who has no Redis need not wait for its import

    given = ConnectionPool.from_url(url.get_secret_value()).connection_kwargs
    return not is_loopback(given.get("host", "localhost")) and not given.get("password")
