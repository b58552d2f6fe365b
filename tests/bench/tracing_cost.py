"""What traces cost: the CPU of a request without them, and with 0, 10 and 100 % recorded, side by side.

    python -m tests.bench.tracing_cost HOME

Starts a mesh on a copy of the home, and three more gateways before the same servers. They take turns, a few
requests each, so that whatever else the machine does meets all. What is measured is CPU: of the gateway whose
turn it is and of the servers. A collector in this process takes the traces.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from subprocess import Popen
from typing import Annotated, Any

import httpx
import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from cli.own_key import read_headers
from contracts.shell import SERVER_NAMES
from tests.bench.client import Client, find_readers
from tests.bench.side_by_side import read_cpu_s, read_ratio
from tests.homes import Home
from tests.meshes import Mesh, running_mesh, wait_until
from tests.services import free_port
from tests.telemetry.collector import collecting

N_READERS = 50
SHARES = ("off", "0", "0.1", "1")
Ask = Callable[[Client], object]


def main(
    home: Annotated[Path, typer.Argument(help="A trained home; it is copied.", metavar="HOME")],
    rounds: Annotated[int, typer.Option(min=7, help="Turns of each gateway.")] = 40,
    requests: Annotated[int, typer.Option(min=1, help="Requests of a turn.")] = 50,
) -> None:
    """Compare gateways that record no, some and all traces; Linux only."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        endpoint = stack.enter_context(collecting()).endpoint
        recording = {"BOOKMESH_OTLP_ENDPOINT": endpoint, "BOOKMESH_TELEMETRY__TRACE_SHARE": "0"}
        mesh = stack.enter_context(running_mesh(Home(home).copy(Path(folder) / "home"), **recording))
        gateways = {share: stack.enter_context(running_gateway(mesh, endpoint, share)) for share in SHARES}
        user_ids = find_readers(gateways["off"][1], N_READERS)
        numbers = count()

        def ask_cached(client: Client) -> None:
            client.get(f"/v1/users/{user_ids[next(numbers) % N_READERS]}/recommendations", k=10)

        def ask_uncached(client: Client) -> None:
            number = next(numbers)  # no other request has this weight
            path = f"/v1/users/{user_ids[number % N_READERS]}/recommendations"
            client.get(path, k=10, popularity_weight=0.2 + number * 1e-7)

        table = Table("traces recorded", "cached, µs", "to off", "uncached, µs", "to off")
        cached, uncached = (
            measure(mesh, gateways, ask, rounds=rounds, requests=requests)
            for ask in (ask_cached, ask_uncached)
        )
        for place, share in enumerate(SHARES):
            table.add_row(share, *describe(cached, place), *describe(uncached, place))
        Console().print(table)


@contextmanager
def running_gateway(mesh: Mesh, endpoint: str, share: str) -> Iterator[tuple[int, Client]]:
    """Pid and client of one more gateway before the servers of a mesh."""
    port = free_port()
    urls = {f"BOOKMESH_GATEWAY__MESH__URLS__{name.upper()}": mesh.url(name) for name in SERVER_NAMES}
    settings = {**mesh.home.settings, **urls, "BOOKMESH_PORT": str(port)}
    if share == "off":
        del settings["BOOKMESH_OTLP_ENDPOINT"]
    else:
        settings |= {"BOOKMESH_OTLP_ENDPOINT": endpoint, "BOOKMESH_TELEMETRY__TRACE_SHARE": share}
    environment = Home(mesh.home.path, settings).environment()
    with (mesh.home.path / f"gateway-{share}.log").open("wb") as log:
        process = Popen(mesh.home.command("serve", "gateway"), env=environment, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until(partial(is_ready, url), patience_s=60)
            yield process.pid, Client(url, read_headers(mesh.home.path))
        finally:
            process.terminate()
            process.wait()


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready").status_code == 200
    except httpx.TransportError:
        return False


def measure(
    mesh: Mesh, gateways: dict[str, tuple[int, Client]], ask: Ask, *, rounds: int, requests: int
) -> np.ndarray[Any, Any]:
    """CPU seconds of a request, (gateways, rounds)."""
    servers = [mesh.pid(name) for name in SERVER_NAMES]
    used_s = np.zeros((len(gateways), 1 + rounds))
    for n_round in range(1 + rounds):
        for place, (pid, client) in enumerate(gateways.values()):
            before_s = read_cpu_s([pid, *servers])
            for _ in range(requests):
                ask(client)
            used_s[place, n_round] = read_cpu_s([pid, *servers]) - before_s
    return used_s[:, 1:] / requests  # the first round fills caches


def describe(used_s: np.ndarray[Any, Any], place: int) -> tuple[str, str]:
    """The median, and its ratio to that of the first gateway with a 95 % interval."""
    ratio, low, high = read_ratio(used_s[[0, place]])
    shown = "" if place == 0 else f"{ratio:.3f} [{low:.3f}, {high:.3f}]"
    return f"{np.median(used_s[place]) * 1e6:.0f}", shown


if __name__ == "__main__":
    typer.run(main)
