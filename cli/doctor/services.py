"""What a mesh asks over the network: database, Redis, mail server; and whether the clocks agree."""

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from redis import Redis, RedisError
from sqlalchemy import text, update
from sqlalchemy.exc import SQLAlchemyError

from artifacts.errors import ArtifactError
from artifacts.store import ArtifactStore
from catalog.database import Database, is_busy, open_database
from catalog.errors import CatalogError, SchemaTooNew
from catalog.schema import SchemaState, read_state
from catalog.tables import CatalogIdentity
from cli.doctor.finding import AllSettings, Finding, failed, ok, warning
from foundation.settings import find_variable
from foundation.urls import hide_password
from mail.errors import MailNotSent
from mail.mailer import open_mailer

TIMEOUT_S: Final = 2.0
DRIFT_S: Final = 2.0
"""Clocks that differ by more are not kept together."""
GRAVE_DRIFT_S: Final = 60.0
"""By so much good tokens are refused, or bad ones taken."""
NOW_OF: Final = {
    "mysql": text("SELECT UNIX_TIMESTAMP(NOW(6))"),
    "mariadb": text("SELECT UNIX_TIMESTAMP(NOW(6))"),
    "postgresql": text("SELECT EXTRACT(EPOCH FROM clock_timestamp())"),
}
KEEP_TIME: Final = "let both machines keep time, `timedatectl set-ntp true`"


def open_existing(settings: AllSettings) -> Database:
    """The catalog's database; no file is made for it. Raises FileNotFoundError, CatalogError."""
    db = open_database(settings.catalog.catalog_url)
    url = db.engine.url
    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists():
        raise FileNotFoundError(url.database)
    return db


def check_database(settings: AllSettings) -> Iterator[Finding]:
    """The catalog can be reached, has our schema, and can be written to."""
    variable = find_variable("catalog", "database_url")
    try:
        with closing(open_existing(settings)) as db:
            yield _judge_schema(db, read_state(db)) or _check_writable(db)
    except FileNotFoundError as error:
        yield failed("database", f"there is no {error}", "`bookmesh import …` makes a catalog, a restore too")
    except SchemaTooNew as error:
        yield failed("database", str(error), "use the release that migrated it, or a later one")
    except (CatalogError, SQLAlchemyError) as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        url = hide_password(settings.catalog.catalog_url)
        yield failed("database", f"{url}: {reason}", f"start it, or mend {variable}")


def check_clock(settings: AllSettings) -> Iterator[Finding]:
    """Our clock agrees with that of the database's machine, and has not been put back."""
    newest = _find_newest_move(settings)
    if newest is not None and newest.timestamp() > time.time() + GRAVE_DRIFT_S:
        moved = f"the current version was promoted at {newest:%Y-%m-%d %H:%M} UTC, which is in the future"
        yield failed("clock", moved, "set the clock, `timedatectl set-ntp true`")
        return
    drift_s = _measure_drift(settings)
    if drift_s is None:
        yield ok("clock", f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
    elif abs(drift_s) > DRIFT_S:
        tell = failed if abs(drift_s) > GRAVE_DRIFT_S else warning
        yield tell("clock", f"the database's clock is {drift_s:+.1f} s from ours", KEEP_TIME)
    else:
        yield ok("clock", "ours and the database's agree")


def check_redis(settings: AllSettings) -> Iterator[Finding]:
    """The cache that gateways share answers."""
    url = settings.gateway.gateway.cache.redis_url
    if url is None:
        yield ok("redis", "not set: this gateway caches and counts alone")
        return
    try:
        with Redis.from_url(
            url.get_secret_value(), socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S
        ) as client:
            client.ping()
    except (RedisError, OSError) as error:
        variable = find_variable("gateway", "cache", "redis_url")
        lost = f"{url}: {type(error).__name__}; gateways cache and count each alone meanwhile"
        yield warning("redis", lost, f"start it, or mend {variable}")
    else:
        yield ok("redis", f"{url} answers")


def check_mail(settings: AllSettings) -> Iterator[Finding]:
    """The mail server would take a mail; none is sent."""
    options = settings.gateway.mail
    try:
        open_mailer(options, settings.catalog.home).check()
    except MailNotSent as error:
        yield failed("mail", str(error), f"mend {find_variable('mail', 'smtp_url')}, or the mail server")
    else:
        yield ok(
            "mail",
            f"{options.smtp_url} answers" if options.smtp_url else "not set: mails are files in outbox/",
        )


def check_notifications(settings: AllSettings) -> Iterator[Finding]:
    """Somebody is told when a training fails."""
    options = settings.notify.notify
    ways = ["mail"] * bool(options.emails) + ["a webhook"] * bool(options.webhook_url)
    if ways:
        yield ok("notifications", f"by {' and '.join(ways)}; `bookmesh notify` tries them out")
    else:
        told = "nobody is told when a training fails or is refused"
        names = " or ".join(find_variable("notify", name) for name in ("emails", "webhook_url"))
        yield (
            warning("notifications", told, f"set {names}")
            if settings.catalog.production
            else ok("notifications", told)
        )


def _judge_schema(db: Database, state: SchemaState) -> Finding | None:
    if state.found is None:
        return failed(
            "database", f"{db.url} has no tables", "`bookmesh import …` or `bookmesh migrate` makes them"
        )
    if state.pending:
        n_pending = f"{db.url} is at schema {state.found}, {len(state.pending)} revisions are pending"
        return failed("database", n_pending, "`bookmesh backup FILE`, then `bookmesh migrate`")
    return None


def _check_writable(db: Database) -> Finding:
    try:
        with db.session(write=True) as session:  # which changes nothing
            session.execute(update(CatalogIdentity).values(revision=CatalogIdentity.revision))
    except SQLAlchemyError as error:
        if is_busy(error):
            return warning("database", f"{db.url}: another writer holds it", "wait for the import to end")
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        return failed(
            "database", f"{db.url} cannot be written to: {reason}", "give our user the right to write"
        )
    return ok("database", f"{db.url} has our schema, and can be written to")


def _measure_drift(settings: AllSettings) -> float | None:
    """Seconds by which the clock of the database's machine is ahead; None if it is ours, or away."""
    try:
        with closing(open_existing(settings)) as db:
            if (query := NOW_OF.get(db.engine.dialect.name)) is None:
                return None
            with db.engine.connect() as connection:
                before_s = time.time()
                theirs_s = float(connection.execute(query).scalar_one())
                # Whatever lies between the two may be right.
                return min(0.0, theirs_s - before_s) or max(0.0, theirs_s - time.time())
    except (CatalogError, OSError, SQLAlchemyError):
        return None


def _find_newest_move(settings: AllSettings) -> datetime | None:
    store = ArtifactStore(settings.catalog.artifacts_root)
    try:
        moves = store.promotions() if store.root.exists() else []
    except (ArtifactError, OSError, ValueError):
        return None
    return moves[-1].at if moves else None
