"""What is measured: the mesh and what it is compared with, as running processes and streams of requests."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Final

from cli.own_key import read_headers
from contracts.shell import SERVER_NAMES
from tests.bench.serving.homes import BASELINES, Asked, catalog_path
from tests.bench.serving.layers_app import PATH as NOTHING
from tests.bench.serving.load import build_request
from tests.bench.serving.processes import Pids, answers, running
from tests.homes import Home
from tests.meshes import Mesh
from tests.services import free_port

MESH, BEFORE = "bookmesh", "before"
CACHED, SIMILAR = ", cached", ", similar books"
"""Other requests to the same mesh."""
CLASSIC, FRAMEWORK = "classic app", "LitServe"
LAYERS, HOP, EMPTY = "empty, the gateway's layers", "empty, one hop", "empty"
"""What the series are called."""
N_CACHED: Final = 100
UNLIMITED = {"BOOKMESH_GATEWAY__LIMITS__KEY_PER_MINUTE": "1000000000", "BOOKMESH_DEADLINE_S": "0.8"}
"""One key sends all requests of a run; and readers wait as long as they do by default."""


@dataclass(frozen=True)
class Series:
    """A kind of request to something that runs."""

    name: str
    url: str
    requests: Iterator[bytes]
    pids: Pids


class Targets:
    """Starts what is measured on free ports; all of it ends with the stack."""

    def __init__(self, stack: ExitStack, folder: Path, asked: Asked) -> None:
        self._stack, self._folder, self._asked = stack, folder, asked

    def mesh(self, mesh: Mesh, name: str = MESH) -> list[Series]:
        """A running mesh: lists that nobody has asked for yet, cached ones, and similar books."""
        url, headers, pids = mesh.url("gateway"), read_headers(mesh.home.path), mesh.pids()

        def series(kind: str, paths: Iterator[str]) -> Series:
            return Series(name + kind, url, (build_request(url, path, headers) for path in paths), pids)

        readers, books = self._asked.each_reader(), self._asked.each_book()
        often = cycle(self._asked.user_ids[-N_CACHED:])
        return [
            series("", (_list_path(user_id, k) for user_id, k in readers)),
            series(CACHED, (_list_path(user_id, 9) for user_id in often)),
            series(SIMILAR, (f"/v1/books/{book_id}/similar?mode=als&k={k}" for book_id, k in books)),
        ]

    def layers(self, mesh: Mesh) -> Series:
        """One more gateway of a mesh, which answers nothing."""
        urls = {f"BOOKMESH_GATEWAY__MESH__URLS__{name.upper()}": mesh.url(name) for name in SERVER_NAMES}
        url, port = _free_url()
        settings = {**mesh.home.settings, **urls, "BOOKMESH_PORT": port}
        command = [sys.executable, "-m", "tests.bench.serving.layers_app"]
        ready = partial(answers, f"{url}/health/ready")
        pid = self._start("layers", command, ready, **replace(mesh.home, settings=settings).environment())
        headers = read_headers(mesh.home.path)
        paths = (NOTHING.format(user_id=user_id) for user_id, _ in self._asked.each_reader())
        requests = (build_request(url, path, headers) for path in paths)
        return Series(LAYERS, url, requests, {"gateway": pid})

    def floor(self) -> list[Series]:
        """An empty answer behind the bare server, and one hop to that."""
        empty, empty_url = self._start_floor("empty")
        hop, hop_url = self._start_floor("hop", empty_url)
        return [
            Series(EMPTY, empty_url, cycle([build_request(empty_url, "/", {})]), {"server": empty}),
            Series(HOP, hop_url, cycle([build_request(hop_url, "/", {})]), {"server": hop, "behind": empty}),
        ]

    def classic(self, home: Home, python: Path) -> Series:
        """The one-process app."""
        url, port = _free_url()
        command = [str(python), "-m", "uvicorn", "classic_app:app", "--port", port, "--no-access-log",
                   "--log-level", "warning", "--app-dir", str(BASELINES)]  # fmt: skip
        path = "/recommendations/{}?k={}".format
        ready = partial(answers, url + path(self._asked.user_ids[0], 10))
        pid = self._start("classic", command, ready, CATALOG=str(catalog_path(home.path)))
        requests = (build_request(url, path(*each), {}) for each in self._asked.each_reader())
        return Series(CLASSIC, url, requests, {"app": pid})

    def framework(self, home: Home, python: Path, factors: Path) -> Series:
        """The same job behind a general framework for serving models, with a worker for each core."""
        url, port = _free_url()
        bodies = ({"user_id": user_id, "k": k} for user_id, k in self._asked.each_reader())
        ready = partial(answers, f"{url}/predict", json.dumps(next(bodies)).encode())
        environment = {"PORT": port, "WORKERS": str(os.cpu_count()), "MODEL": str(factors)}
        environment["CATALOG"] = str(catalog_path(home.path))
        command = [str(python), str(BASELINES / "framework_app.py")]
        pid = self._start("framework", command, ready, **environment)
        requests = (build_request(url, "/predict", {}, each) for each in bodies)
        return Series(FRAMEWORK, url, requests, {"app": pid})

    def _start_floor(self, name: str, *words: str) -> tuple[int, str]:
        url, port = _free_url()
        command = [sys.executable, "-m", "tests.bench.serving.floor_app", port, *words]
        return self._start(name, command, partial(answers, url)), url

    def _start(self, name: str, command: list[str], ready: Callable[[], bool], **environment: str) -> int:
        log = self._folder / f"{name}.log"
        return self._stack.enter_context(running(command, log, ready=ready, **environment))


def _list_path(user_id: int, k: int) -> str:
    return f"/v1/users/{user_id}/recommendations?k={k}"


def _free_url() -> tuple[str, str]:
    port = free_port()
    return f"http://127.0.0.1:{port}", str(port)
