"""What the gateway reads from the environment, once, at start-up."""

from typing import Annotated, Literal

from pydantic import AnyUrl, Field, HttpUrl, PositiveFloat, PositiveInt, SecretStr

from catalog.settings import CatalogSettings
from contracts.shell import DEFAULT_PORTS, ServerName, Weight

Port = Annotated[int, Field(ge=0, le=65535)]


def _default_url(server: ServerName) -> HttpUrl:
    return HttpUrl(f"http://127.0.0.1:{DEFAULT_PORTS[server]}")


class GatewaySettings(CatalogSettings):
    """Where the gateway listens, whom it asks, and how long it waits."""

    host: str = "127.0.0.1"
    """Address that the gateway listens on."""
    port: Port = 8000
    """Port that the gateway listens on; 0 takes a free one."""
    redis_url: SecretStr | None = None
    """Redis that several gateways share as their cache; without it, each caches in its own process."""

    embedder_url: HttpUrl = _default_url("embedder")
    """Base URL of the embedder server."""
    similarity_url: HttpUrl = _default_url("similarity")
    """Base URL of the similarity server."""
    als_url: HttpUrl = _default_url("als")
    """Base URL of the als server."""
    metadata_url: HttpUrl = _default_url("metadata")
    """Base URL of the metadata server."""
    semantic_url: HttpUrl = _default_url("semantic")
    """Base URL of the semantic server."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Every request to the gateway is logged at info."""
    otlp_endpoint: str | None = None
    """Base URL of an OpenTelemetry collector (OTLP over HTTP); traces are recorded only if it is set."""

    deadline_s: PositiveFloat = 0.8
    """Seconds that one request may wait for all servers together; late answers are dropped."""
    write_timeout_s: PositiveFloat = 3.0
    """Seconds that a write may wait for the catalog."""
    poll_interval_s: PositiveFloat = 0.5
    """Seconds between two looks at what versions a server holds."""
    pool_size: PositiveInt = 64
    """Most connections to one server."""
    idle_connection_s: Annotated[float, Field(gt=0, lt=75)] = 30.0
    """Seconds that an unused connection is kept; the servers close theirs after 75."""
    gateway_concurrency: PositiveInt = 128
    """Requests answered at once; one more is told to come back."""

    breaker_failures: PositiveInt = 5
    """Failures in a row after which a server is left alone for a while."""
    breaker_open_s: PositiveFloat = 1.0
    """Seconds that it is left alone."""

    author_limit: PositiveInt = 2
    """Most books of one author in any ten consecutive ones of a list."""
    subjects_popularity_weight: Weight = 0.3
    """Share of popularity in lists by subjects, where the client names none."""
    snapshot_books: PositiveInt = 2000
    """Popular books that the gateway keeps for when no server answers."""
    cache_bytes: PositiveInt = 32 * 1024 * 1024
    """Memory for finished responses in this process."""
    cached_cards: PositiveInt = 5000
    """Book cards kept in this process."""
    cached_readers: PositiveInt = 2000
    """Readers' histories kept in this process."""

    def server_urls(self) -> dict[ServerName, str]:
        """Base URL of each model server, without a slash at the end."""
        urls: dict[ServerName, AnyUrl] = {
            "embedder": self.embedder_url,
            "similarity": self.similarity_url,
            "als": self.als_url,
            "metadata": self.metadata_url,
            "semantic": self.semantic_url,
        }
        return {name: str(url).rstrip("/") for name, url in urls.items()}
