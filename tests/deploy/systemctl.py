"""A program `systemctl` for scripts of ours, which asks a machine of the tests to do what they say."""

import json
import socketserver
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.deploy.units import Host

CLIENT = """#!{python} -S
import json, socket, sys
with socket.socket(socket.AF_UNIX) as asked:
    asked.connect({address!r})
    asked.sendall(json.dumps(sys.argv[1:]).encode() + b"\\n")
    sys.exit(int(asked.makefile().readline()))
"""


@contextmanager
def answering_systemctl(host: Host, folder: Path) -> Iterator[None]:
    """Put `systemctl` into a folder, and do meanwhile what it is asked for."""
    address = str(host.folder / "systemctl.sock")
    file = folder / "systemctl"
    file.write_text(CLIENT.format(python=sys.executable, address=address))
    file.chmod(0o755)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            code = obey(host, json.loads(self.rfile.readline()))
            self.wfile.write(f"{code}\n".encode())

    with socketserver.UnixStreamServer(address, Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def obey(host: Host, words: list[str]) -> int:
    """The exit code of `systemctl` with these words."""
    match [word for word in words if not word.startswith("-")]:
        case ["daemon-reload"] | ["enable", *_] | ["start", "bookmesh.target"]:
            return 0
        case ["start", name]:
            return host.run(name)
        case ["restart", name]:
            try:
                host.restart(name)
            except AssertionError as error:
                print(error)  # for who reads why a test has failed
                return 1
            return 0
    raise AssertionError(words)
