"""What `bookmesh status` finds out about one process."""

import json
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import cycle

import pytest

from cli import probes
from cli.probes import ProcessStatus, Watch, probe
from cli.process_table import ProcessRow
from contracts.shell import READY_PATH
from tests.services import free_port


@pytest.fixture
def loading_url() -> Iterator[str]:
    """A process that answers, but is not ready."""

    class Loading(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(503 if self.path == READY_PATH else 200)
            self.end_headers()
            self.wfile.write(json.dumps({"version": None, "held": [], "pid": os.getpid()}).encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Loading) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_process_that_answers_but_is_not_ready_is_loading(loading_url: str) -> None:
    status = probe(ProcessRow("als", 0, loading_url))

    assert (status.state, status.pid, status.version, status.n_held) == ("loading", os.getpid(), None, 0)
    assert status.pss_bytes


def test_a_process_that_does_not_answer_is_down() -> None:
    assert probe(ProcessRow("als", 0, f"http://127.0.0.1:{free_port()}")) == ProcessStatus("down", None)


@pytest.mark.parametrize(("silent", "hangs"), [((True, True, False), False), ((True, True, True), True)])
def test_a_process_hangs_that_leaves_three_looks_in_a_row_unanswered(
    silent: tuple[bool, ...], hangs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = cycle(silent)
    monkeypatch.setattr(probes, "_is_silent", lambda url: next(answers))
    monkeypatch.setattr(probes, "LIVE_INTERVAL_S", 0.0)

    with ThreadPoolExecutor(1) as threads:
        watch = Watch("http://127.0.0.1:9", threads)
        found = {(watch.is_hung(), time.sleep(0.001))[0] for _ in range(100)}

    assert (True in found) == hangs


def test_a_process_that_refuses_connections_does_not_hang(loading_url: str) -> None:
    assert not probes._is_silent(f"http://127.0.0.1:{free_port()}")
    assert not probes._is_silent(loading_url)
