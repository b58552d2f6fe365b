"""Tells the model servers that the pointer has moved; one that hears nothing looks at it by itself."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import httpx
from rich.markup import escape

from cli.console import err
from cli.process_table import read_table
from contracts.shell import RELOAD_PATH, SERVER_NAMES
from foundation.mesh_token import build_headers
from foundation.urls import local_url
from gateway.settings import GatewaySettings
from servers.shell.settings import ServerSettings

TIMEOUT_S: Final = 30.0
"""A server answers once it has loaded the version."""
NOBODY: Final = "nobody listens there"


def find_servers() -> dict[str, str]:
    """Where each server listens: as the mesh that runs on this home has it, else as the settings say."""
    settings, servers = GatewaySettings(), ServerSettings().servers
    if rows := read_table(settings.home):
        return {row.name: row.url for row in rows if row.name in SERVER_NAMES}
    mesh = settings.gateway.mesh
    local: dict[str, str] = {name: local_url(servers.host, servers.port(name)) for name in SERVER_NAMES}
    named: dict[str, str] = {
        name: url for name, url in mesh.server_urls().items() if name in mesh.urls.model_fields_set
    }
    return local | named


def signal_servers(servers: Mapping[str, str]) -> None:
    """Make every server look at the pointer now; what goes wrong is told, and ends nothing."""
    headers = build_headers(ServerSettings().find_mesh_token())
    with ThreadPoolExecutor(len(servers)) as pool:
        problems = dict(
            zip(servers, pool.map(lambda url: _reload(url, headers), servers.values()), strict=True)
        )
    if all(problem == NOBODY for problem in problems.values()):
        _tell(
            f"no model server listens at {', '.join(servers.values())}; any elsewhere will see it in a moment"
        )
        return
    for name, problem in problems.items():
        if problem is not None:
            _tell(f"warning: {name} at {servers[name]}: {problem}; it will try again by itself")


def _reload(url: str, headers: dict[str, str]) -> str | None:
    """Why the server does not answer from the version yet."""
    try:
        response = httpx.post(url + RELOAD_PATH, headers=headers, timeout=TIMEOUT_S, trust_env=False)
    except httpx.ConnectError:
        return NOBODY
    except httpx.HTTPError as error:
        return f"{type(error).__name__} {error}"
    return None if response.is_success else response.text


def _tell(message: str) -> None:
    err.print(escape(message), highlight=False, soft_wrap=True)
