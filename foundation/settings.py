"""Where settings come from: `BOOKMESH_GATEWAY__PORT` in the environment sets `gateway.port`.

A process has one class of them, built in its outermost module and passed down.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

PREFIX: Final = "BOOKMESH_"
DELIMITER: Final = "__"

ALIASES: Final = {
    "BOOKMESH_DATABASE_URL": "BOOKMESH_CATALOG__DATABASE_URL",
    "BOOKMESH_LOG_LEVEL": "BOOKMESH_TELEMETRY__LOG_LEVEL",
    "BOOKMESH_OTLP_ENDPOINT": "BOOKMESH_TELEMETRY__OTLP_ENDPOINT",
    "BOOKMESH_AUTHOR_LIMIT": "BOOKMESH_SERVING__AUTHOR_LIMIT",
    "BOOKMESH_SUBJECTS_POPULARITY_WEIGHT": "BOOKMESH_SERVING__SUBJECTS_POPULARITY_WEIGHT",
    "BOOKMESH_GATE__COLD_POPULARITY_WEIGHT": "BOOKMESH_SERVING__SUBJECTS_POPULARITY_WEIGHT",
    "BOOKMESH_HOST": "BOOKMESH_GATEWAY__HOST",
    "BOOKMESH_PORT": "BOOKMESH_GATEWAY__PORT",
    "BOOKMESH_DEADLINE_S": "BOOKMESH_GATEWAY__DEADLINE_S",
    "BOOKMESH_WRITE_TIMEOUT_S": "BOOKMESH_GATEWAY__WRITE_TIMEOUT_S",
    "BOOKMESH_GATEWAY_CONCURRENCY": "BOOKMESH_GATEWAY__CONCURRENCY",
    "BOOKMESH_SNAPSHOT_BOOKS": "BOOKMESH_GATEWAY__SNAPSHOT_BOOKS",
    "BOOKMESH_EMBEDDER_URL": "BOOKMESH_GATEWAY__MESH__URLS__EMBEDDER",
    "BOOKMESH_SIMILARITY_URL": "BOOKMESH_GATEWAY__MESH__URLS__SIMILARITY",
    "BOOKMESH_ALS_URL": "BOOKMESH_GATEWAY__MESH__URLS__ALS",
    "BOOKMESH_METADATA_URL": "BOOKMESH_GATEWAY__MESH__URLS__METADATA",
    "BOOKMESH_SEMANTIC_URL": "BOOKMESH_GATEWAY__MESH__URLS__SEMANTIC",
    "BOOKMESH_POLL_INTERVAL_S": "BOOKMESH_GATEWAY__MESH__POLL_INTERVAL_S",
    "BOOKMESH_POOL_SIZE": "BOOKMESH_GATEWAY__MESH__POOL_SIZE",
    "BOOKMESH_IDLE_CONNECTION_S": "BOOKMESH_GATEWAY__MESH__IDLE_CONNECTION_S",
    "BOOKMESH_BREAKER_FAILURES": "BOOKMESH_GATEWAY__BREAKER__FAILURES",
    "BOOKMESH_BREAKER_OPEN_S": "BOOKMESH_GATEWAY__BREAKER__OPEN_S",
    "BOOKMESH_REDIS_URL": "BOOKMESH_GATEWAY__CACHE__REDIS_URL",
    "BOOKMESH_CACHE_BYTES": "BOOKMESH_GATEWAY__CACHE__RESPONSE_BYTES",
    "BOOKMESH_CACHED_CARDS": "BOOKMESH_GATEWAY__CACHE__CARDS",
    "BOOKMESH_CACHED_READERS": "BOOKMESH_GATEWAY__CACHE__USERS",
    "BOOKMESH_SERVER_HOST": "BOOKMESH_SERVERS__HOST",
    "BOOKMESH_EMBEDDER_PORT": "BOOKMESH_SERVERS__PORTS__EMBEDDER",
    "BOOKMESH_SIMILARITY_PORT": "BOOKMESH_SERVERS__PORTS__SIMILARITY",
    "BOOKMESH_ALS_PORT": "BOOKMESH_SERVERS__PORTS__ALS",
    "BOOKMESH_METADATA_PORT": "BOOKMESH_SERVERS__PORTS__METADATA",
    "BOOKMESH_SEMANTIC_PORT": "BOOKMESH_SERVERS__PORTS__SEMANTIC",
    "BOOKMESH_POINTER_POLL_S": "BOOKMESH_SERVERS__POINTER_POLL_S",
    "BOOKMESH_KEEP_PREVIOUS_S": "BOOKMESH_SERVERS__KEEP_PREVIOUS_S",
    "BOOKMESH_LOAD_RETRY_S": "BOOKMESH_SERVERS__LOAD_RETRY_S",
    "BOOKMESH_MAX_BODY_BYTES": "BOOKMESH_SERVERS__MAX_BODY_BYTES",
    "BOOKMESH_MAX_CONCURRENT_REQUESTS": "BOOKMESH_SERVERS__CONCURRENCY",
    "BOOKMESH_WORKER_THREADS": "BOOKMESH_SERVERS__WORKER_THREADS",
    "BOOKMESH_MATH_THREADS": "BOOKMESH_SERVERS__MATH_THREADS",
    "BOOKMESH_DRAIN_S": "BOOKMESH_SERVERS__DRAIN_S",
    "BOOKMESH_SEED": "BOOKMESH_TRAIN__SEED",
    "BOOKMESH_THREADS": "BOOKMESH_TRAIN__THREADS",
    "BOOKMESH_SPLIT__MIN_READERS": "BOOKMESH_TRAIN__SPLIT__MIN_USERS",
    "BOOKMESH_AGGREGATE__CO_READERS": "BOOKMESH_TRAIN__AGGREGATE__N_CO_READ",
    "BOOKMESH_RANKER__MAX_READERS": "BOOKMESH_TRAIN__RANKER__MAX_USERS",
    "BOOKMESH_GATE__MAX_READERS": "BOOKMESH_TRAIN__GATE__MAX_USERS",
    "BOOKMESH_SPLIT__": "BOOKMESH_TRAIN__SPLIT__",
    "BOOKMESH_AGGREGATE__": "BOOKMESH_TRAIN__AGGREGATE__",
    "BOOKMESH_SUBJECTS__": "BOOKMESH_TRAIN__SUBJECTS__",
    "BOOKMESH_ALS__": "BOOKMESH_TRAIN__ALS__",
    "BOOKMESH_RANKER__": "BOOKMESH_TRAIN__RANKER__",
    "BOOKMESH_INDEX__": "BOOKMESH_TRAIN__INDEX__",
    "BOOKMESH_GATE__": "BOOKMESH_TRAIN__GATE__",
}
"""Names of 0.1.0 and what they are called now; one that ends with `__` stands for all that begin so.

Where two of them are set, or fit, the earlier line counts.
"""


class Options(BaseModel):
    """Settings that belong together: those whose variables begin alike."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ProcessSettings(BaseSettings):
    """What every process reads from the environment, once, at start-up."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=DELIMITER,
        frozen=True,
        # Under a misspelt name there may be a password.
        hide_input_in_errors=True,
    )

    home: Path = Path(".bookmesh")
    """Folder of everything that bookmesh keeps."""

    @property
    def artifacts_root(self) -> Path:
        """Root folder of the artifact store."""
        return self.home / "artifacts"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment; pydantic asks for this."""
        return init_settings, _Environment(settings_cls)


def find_variable(*path: str | int) -> str:
    """The variable for what is at this path, by the name that is set; if none is, by its own."""
    environment = EnvSettingsSource(ProcessSettings).env_vars
    # What is part of a value given as JSON is set by the variable of the whole.
    for length in range(len(path), 0, -1):
        name = _name(path[:length])
        for each in (name, *list_aliases(name)):
            if each.lower() in environment:
                return each
    return _name(path)


def list_aliases(name: str) -> list[str]:
    """Other names of a variable; the earlier one counts."""
    return [
        alias + name.removeprefix(current) for alias, current in ALIASES.items() if _covers(current, name)
    ]


class _Environment(EnvSettingsSource):
    """The environment, aliases included."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        super().__init__(settings_cls)
        self.env_vars = _rename_aliases(self.env_vars)

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value  # no JSON: the field's type refuses it, in a message that names the variable


def _rename_aliases(environment: Mapping[str, str | None]) -> dict[str, str | None]:
    """Each alias's value under the variable's own name, unless that is set; all in small letters."""
    renamed = dict(environment)
    for alias, name in ALIASES.items():
        for found in [each for each in renamed if _covers(alias, each.upper())]:
            value = renamed.pop(found)
            renamed.setdefault((name + found.upper().removeprefix(alias)).lower(), value)
    return renamed


def _name(path: tuple[str | int, ...]) -> str:
    return PREFIX + DELIMITER.join(map(str, path)).upper()


def _covers(pattern: str, name: str) -> bool:
    return name == pattern or (pattern.endswith(DELIMITER) and name.startswith(pattern))
