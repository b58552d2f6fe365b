"""Where settings come from: `BOOKMESH_GATEWAY__PORT` in the environment sets `gateway.port`.

A process has one class of them, built in its outermost module and passed down.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from foundation.mesh_token import MIN_LENGTH, find_mesh_token

PREFIX: Final = "BOOKMESH_"
DELIMITER: Final = "__"


@dataclass(frozen=True)
class Searched:
    """Marks a setting that `bookmesh tune` searches, and between which values."""

    low: float
    high: float
    log: bool = False
    """Whether ten times as much is as far at the one end as at the other."""


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
    mesh_token: Annotated[SecretStr, Field(min_length=MIN_LENGTH)] | None = None
    """What model servers ask for, if there is one; without it, `secrets/mesh` of the home."""
    production: bool = False
    """Whether anybody outside this machine is served: defaults that are unsafe then are refused."""

    @property
    def artifacts_root(self) -> Path:
        return self.home / "artifacts"

    @property
    def lock_path(self) -> Path:
        """Held by whoever makes a version of this home, so that nobody else does meanwhile."""
        return self.home / "train.lock"

    @property
    def training_metrics_path(self) -> Path:
        """What the last training tells Prometheus."""
        return self.home / "run" / "training.prom"

    def find_mesh_token(self) -> str | None:
        """The token of the mesh, if it has one. Raises MeshTokenInvalid, OSError."""
        return find_mesh_token(self.mesh_token, self.home)

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


@cache
def read_aliases() -> dict[str, str]:
    """Names of 0.1.0 and what they are called now; one that ends with `__` stands for all that begin so.

    Where two of them are set, or fit, the earlier one counts.
    """
    aliases: dict[str, str] = json.loads((files("foundation") / "aliases.json").read_text("utf-8"))
    return aliases


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
    aliases = read_aliases().items()
    return [alias + name.removeprefix(current) for alias, current in aliases if _covers(current, name)]


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
    for alias, name in read_aliases().items():
        for found in [each for each in renamed if _covers(alias, each.upper())]:
            value = renamed.pop(found)
            renamed.setdefault((name + found.upper().removeprefix(alias)).lower(), value)
    return renamed


def _name(path: tuple[str | int, ...]) -> str:
    return PREFIX + DELIMITER.join(map(str, path)).upper()


def _covers(pattern: str, name: str) -> bool:
    return name == pattern or (pattern.endswith(DELIMITER) and name.startswith(pattern))
