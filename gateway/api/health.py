"""Health, probes, versions and metrics, for operators."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from contracts.errors import RETRY_AFTER_S
from contracts.shell import LIVE_PATH, METRICS_PATH, READY_PATH
from gateway.api import problems
from gateway.api.services import Services, ServicesDep
from gateway.deadline import Deadline
from gateway.errors import CatalogUnavailable
from gateway.schemas import Health, Live, ReadyAnswer, ServerHealth, ServerVersions, VersionInfo
from telemetry.workers import render

router = APIRouter(prefix="/v1", tags=["operation"])
probes = APIRouter(tags=["operation"])


@router.get("/health", summary="Show the state of everything")
async def read_health(services: ServicesDep) -> Health:
    """Always 200 while the gateway lives; `status` and the parts tell the rest."""
    servers = {
        name: ServerHealth(
            live=server.is_live,
            breaker=server.breaker.state,
            version=server.versions.current,
            held=sorted(server.versions.held, reverse=True),
            error=server.last_error,
        )
        for name, server in services.mesh.servers.items()
    }
    has_catalog = await _has_catalog(services)
    is_cache_ok = await services.cache.is_healthy()
    is_ok = has_catalog and is_cache_ok and all(server.live for server in servers.values())
    return Health(
        status="ok" if is_ok else "degraded",
        version=services.mesh.version_name,
        servers=servers,
        catalog=has_catalog,
        cache=services.cache.name,
        cache_ok=is_cache_ok,
        snapshot_books=len(services.snapshots.snapshot.books),
    )


@router.get("/version", summary="Show which version answers")
async def read_version(services: ServicesDep) -> VersionInfo:
    """The artifact version that requests are answered from, and what each server holds."""
    servers = {
        name: ServerVersions(version=server.versions.current, held=sorted(server.versions.held, reverse=True))
        for name, server in services.mesh.servers.items()
    }
    return VersionInfo(version=services.mesh.version_name, servers=servers)


@probes.get(LIVE_PATH, summary="Probe: the process answers")
async def read_live() -> Live:
    """200 as long as the process answers."""
    return Live()


@probes.get(
    READY_PATH,
    responses={503: {"model": ReadyAnswer, **problems.document(503)[503]}},
    summary="Probe: lists of books can be given",
)
async def read_ready(services: ServicesDep, response: Response) -> ReadyAnswer:
    """503 until a version is pinned or a snapshot of popular books is there."""
    is_ready = services.mesh.pinned is not None or bool(services.snapshots.snapshot.books)
    if not is_ready:
        response.status_code = 503
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    has_catalog = await _has_catalog(services)
    return ReadyAnswer(ready=is_ready, version=services.mesh.version_name, catalog=has_catalog)


@probes.get(METRICS_PATH, response_class=PlainTextResponse, summary="Metrics for Prometheus")
async def read_metrics(request: Request) -> Response:
    """Prometheus' text format."""
    return Response(render(request.app.state.registry), media_type=CONTENT_TYPE_LATEST)


async def _has_catalog(services: Services) -> bool:
    try:
        await services.catalog.read_titles([], Deadline.after(services.deadline_s))
    except CatalogUnavailable:
        return False
    return True
