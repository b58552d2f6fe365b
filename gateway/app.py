"""Builds the gateway: its parts at start-up, its routes, and the layers around them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import Depends, FastAPI
from fastapi_offline import FastAPIOffline
from prometheus_client import CollectorRegistry
from starlette.middleware.cors import CORSMiddleware

from catalog.database import open_database
from catalog.schema import check_migrated
from contracts.shell import ServerName
from gateway.accounts.accounts import Accounts
from gateway.accounts.callers import Callers
from gateway.accounts.keys import NOTE_EVERY_S, StoredKeys
from gateway.accounts.mails import Mails
from gateway.accounts.secret import read_signing_secret
from gateway.accounts.sessions import Sessions
from gateway.accounts.tokens import AccessTokens
from gateway.api import (
    admin,
    auth,
    authors,
    books,
    dismissals,
    events,
    health,
    me,
    me_import,
    model,
    my_dismissals,
    my_ratings,
    my_recommendations,
    my_shelf,
    openapi,
    problems,
    ratings,
    recommendations,
    search,
    shelf,
    subjects,
    users,
)
from gateway.api.checks import RequestCheck
from gateway.api.compression import Compression
from gateway.api.lean import plan_routes
from gateway.api.middleware import ConcurrencyLimit, LargeBodies, RateLimit, VersionHeader
from gateway.api.moved import BookMoved, answer_moved
from gateway.api.services import Services
from gateway.cache.base import ResponseCache
from gateway.cache.memory import MemoryCache
from gateway.cache.redis import RedisCache
from gateway.catalog import CATALOG, PATIENCE_S, Catalog
from gateway.library.libraries import Libraries
from gateway.limits.base import RequestCounts
from gateway.limits.limits import Limits
from gateway.limits.memory import MemoryCounts
from gateway.limits.redis import RedisCounts
from gateway.mesh.breaker import CircuitBreaker
from gateway.mesh.mesh import Mesh
from gateway.mesh.server import Server
from gateway.mesh.transport import MeshClient
from gateway.metrics import GatewayMetrics
from gateway.recommend.cards import Cards
from gateway.recommend.details import Details
from gateway.recommend.list_requests import ListRequestBuilder
from gateway.recommend.pages import Pages
from gateway.recommend.recommender import Recommender
from gateway.recommend.snapshot import SnapshotKeeper
from gateway.recommend.subjects import Subjects
from gateway.settings import GatewaySettings
from gateway.shared_redis import SharedRedis
from mail.mailer import open_mailer
from middleware.background import Background
from middleware.requests import LargerBody, RequestMiddleware
from telemetry import logs
from telemetry.metrics import HttpMetrics, build_registry
from telemetry.tracing import trace_statements

PROCESS = "gateway"
"""As metrics, logs and traces name it."""
DESCRIPTION = """
Personal recommendations, similar books and search over one catalog.

Every list names the artifact `version` that made it, the `mode` in which its books were found, and the
dependencies whose loss has changed it (`degraded`); every failure is `application/problem+json` with a stable
`code` and the `request_id` to quote.

What has more than one page takes `limit` and `offset` and tells the `total`. Books, authors and subjects
carry an `ETag`: who sends it back in `If-None-Match` gets 304 for as long as nothing has changed. Answers of
4 KiB and more are compressed for whoever accepts br or gzip, and HEAD works wherever GET does.
"""
MAX_BODY_BYTES = 512 * 1024
"""10,000 liked books with their ratings fit."""


def create_app(settings: GatewaySettings) -> FastAPI:
    """The gateway's app; nothing is opened before its lifespan begins."""
    registry = build_registry()
    http = HttpMetrics(PROCESS, registry)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            app.state.services = await _start(settings, registry, http, stack)
            yield

    app = FastAPIOffline(
        redoc_url=None,
        redirect_slashes=False,
        static_url="/docs/static",
        title="bookmesh",
        description=DESCRIPTION,
        version="1",
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # telemetry/ has what we need of it
        exception_handlers={**problems.HANDLERS, BookMoved: answer_moved},
        dependencies=[Depends(RequestCheck())],
        responses=problems.document(*problems.ANYWHERE),
        openapi_tags=openapi.TAGS,
        generate_unique_id_function=openapi.name_operation,
    )
    describe = app.openapi
    app.openapi = lambda: app.openapi_schema or openapi.complete(describe())  # type: ignore[method-assign]
    app.state.registry = registry
    for module in (
        recommendations,
        books,
        authors,
        model,
        search,
        subjects,
        ratings,
        dismissals,
        shelf,
        events,
        users,
        auth,
        me,
        me_import,
        my_ratings,
        my_recommendations,
        my_dismissals,
        my_shelf,
        *admin.MODULES,
        health,
    ):
        app.include_router(module.router)
    app.include_router(health.probes)
    plan_routes(app)
    # From the inside out: what is added last is outermost.
    app.add_middleware(Compression)
    app.add_middleware(RateLimit)
    libraries = LargeBodies(limit=me_import.MOST_BODIES)
    app.add_middleware(ConcurrencyLimit, limit=settings.gateway.concurrency)
    app.add_middleware(
        RequestMiddleware,
        metrics=http,
        max_body_bytes=MAX_BODY_BYTES,
        larger_bodies={("POST", me_import.PATH): LargerBody(me_import.MAX_BODY_BYTES, libraries.admit)},
    )
    app.add_middleware(VersionHeader)
    if settings.gateway.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.gateway.cors_origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=list(openapi.HEADERS),
        )
    return app


def find_signing_secret(settings: GatewaySettings) -> bytes:
    """The secret of the settings or of the home. Raises OSError."""
    return read_signing_secret(settings.gateway.accounts.secret, settings.home / "secrets" / "signing")


async def _start(
    settings: GatewaySettings, registry: CollectorRegistry, http: HttpMetrics, stack: AsyncExitStack
) -> Services:
    """Open everything that the gateway needs; the stack closes it in the opposite order.

    Raises DatabaseNotMigrated. Servers that are down delay nothing and stop nothing.
    """
    metrics = GatewayMetrics(registry)
    catalog = _open_catalog(settings, metrics)
    stack.callback(catalog.close)
    options = settings.gateway
    redis = _open_redis(settings, metrics)
    cache = _open_cache(settings, redis, metrics)
    stack.push_async_callback(cache.close)
    client = MeshClient(
        pool_size=options.mesh.pool_size,
        idle_connection_s=options.mesh.idle_connection_s,
        token=settings.find_mesh_token(),
    )
    stack.push_async_callback(client.close)
    mesh = _build_mesh(settings, client, metrics, http)
    background = Background(PROCESS, registry)
    stack.push_async_callback(background.stop)
    await mesh.start(background)
    snapshots = SnapshotKeeper(mesh, catalog, n_books=options.snapshot_books)
    await snapshots.start(background)

    secret = find_signing_secret(settings)
    access_tokens = AccessTokens(secret)
    sessions = Sessions(catalog, access_tokens)
    stored_keys = StoredKeys(catalog)
    background.repeat("used keys", stored_keys.note_used, every_s=NOTE_EVERY_S)
    stack.push_async_callback(stored_keys.note_used)
    page_url = None if options.accounts.page_url is None else str(options.accounts.page_url)
    mails = Mails(catalog, open_mailer(settings.mail, settings.home), page_url=page_url)
    stack.push_async_callback(mails.close)

    cards = Cards(catalog, size=options.cache.cards, spare=snapshots.cards_of)
    return Services(
        mesh=mesh,
        catalog=catalog,
        cache=cache,
        subjects=Subjects(catalog),
        snapshots=snapshots,
        list_requests=ListRequestBuilder(catalog, lambda: snapshots.snapshot, settings.serving),
        recommender=Recommender(mesh, catalog, cards, cache, metrics, rules=settings.serving),
        pages=Pages(mesh, catalog, cards, lambda: snapshots.snapshot),
        details=Details(mesh, catalog, cards, rules=settings.serving),
        callers=Callers(sessions, stored_keys),
        access_tokens=access_tokens,
        accounts=Accounts(catalog, sessions, mails),
        libraries=Libraries(catalog),
        limits=Limits(_open_counts(redis, metrics), options.limits, secret),
        metrics=metrics,
        deadline_s=options.deadline_s,
    )


def _build_mesh(
    settings: GatewaySettings, client: MeshClient, metrics: GatewayMetrics, http: HttpMetrics
) -> Mesh:
    servers: dict[ServerName, Server] = {
        name: Server(
            name, url, client=client, breaker=_build_breaker(settings, metrics, name), metrics=metrics
        )
        for name, url in settings.gateway.mesh.server_urls().items()
    }

    def tell_version(version: str | None) -> None:
        http.tell_version(version)
        logs.tell_version(version)

    return Mesh(
        servers,
        poll_interval_s=settings.gateway.mesh.poll_interval_s,
        metrics=metrics,
        tell_version=tell_version,
    )


def _open_catalog(settings: GatewaySettings, metrics: GatewayMetrics) -> Catalog:
    db = open_database(settings.catalog_url, patience_s=PATIENCE_S)
    check_migrated(db)
    trace_statements(db.engine)
    return Catalog(
        db,
        metrics,
        breaker=_build_breaker(settings, metrics, CATALOG),
        write_timeout_s=settings.gateway.write_timeout_s,
        cached_users=settings.gateway.cache.users,
    )


def _open_redis(settings: GatewaySettings, metrics: GatewayMetrics) -> SharedRedis | None:
    url = settings.gateway.cache.redis_url
    if url is None:
        return None
    breaker = _build_breaker(settings, metrics, "redis")
    return SharedRedis(url.get_secret_value(), breaker, metrics.redis_seconds)


def _open_cache(
    settings: GatewaySettings, redis: SharedRedis | None, metrics: GatewayMetrics
) -> ResponseCache:
    memory = MemoryCache(settings.gateway.cache.response_bytes)
    return memory if redis is None else RedisCache(redis, front=memory, refused=metrics.cache_refused)


def _open_counts(redis: SharedRedis | None, metrics: GatewayMetrics) -> RequestCounts:
    memory = MemoryCounts()
    if redis is None:
        return memory
    return RedisCounts(redis, alone=memory, counted_alone=metrics.limited_alone)


def _build_breaker(settings: GatewaySettings, metrics: GatewayMetrics, dependency: str) -> CircuitBreaker:
    breaker, is_open = settings.gateway.breaker, metrics.breaker_open.labels(dependency)
    return CircuitBreaker(failures=breaker.failures, open_s=breaker.open_s, tell=is_open.set)
