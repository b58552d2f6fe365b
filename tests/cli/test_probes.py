"""What `bookmesh status` finds out about one process."""

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from cli.probes import ProcessStatus, probe
from cli.supervisor import ProcessRow
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
