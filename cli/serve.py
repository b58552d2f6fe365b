"""The command that runs one process of the mesh, and what such a process starts from."""

from typing import Annotated

import typer

from cli.console import fail
from contracts.shell import SERVER_NAMES


def serve(
    name: Annotated[str, typer.Argument(help="gateway, embedder, similarity, als, metadata or semantic.")],
) -> None:
    """Run one process of the mesh in the foreground."""
    # Each process imports its own stack only: the gateway holds no model library, a server no SQL.
    if name == "gateway":
        from gateway.serve import run_gateway
        from gateway.settings import GatewaySettings

        run_gateway(GatewaySettings())
    elif name in SERVER_NAMES:
        from servers.shell.serve import run_server
        from servers.shell.settings import ServerSettings

        run_server(name, ServerSettings())
    else:
        fail(f"no server is called {name!r}; choose gateway, {', '.join(SERVER_NAMES)}", code=2)


if __name__ == "__main__":
    typer.run(serve)
