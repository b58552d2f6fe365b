"""A real nginx with our configuration, before a machine of the tests."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.homes import ROOT
from tests.services import find_binary, free_port, running

SNIPPETS = ROOT / "deploy" / "nginx"
MIME_TYPES = "types { text/html html; text/css css; application/javascript js; application/json json; }"


def write_configuration(folder: Path, *, gateway: str, listen: str) -> Path:
    """Our nginx.conf and its two snippets as an operator places them, below a folder."""
    (folder / "bookmesh").mkdir(parents=True, exist_ok=True)
    (folder / "log").mkdir(exist_ok=True)
    (folder / "bookmesh" / "gateway.conf").write_text(gateway)
    (folder / "bookmesh" / "listen.conf").write_text(listen)
    (folder / "mime.types").write_text(MIME_TYPES)
    text = (ROOT / "nginx.conf").read_text().replace("/var/log/nginx", f"{folder}/log")
    text = text.replace("/run/nginx.pid", f"{folder}/nginx.pid").replace("/srv/bookmesh", str(folder))
    text = text.replace("proxy_read_timeout 30s", "proxy_read_timeout 300s")  # a busy machine restarts slowly
    file = folder / "nginx.conf"
    file.write_text(text)
    return file


@contextmanager
def running_nginx(folder: Path, gateway: str) -> Iterator[httpx.Client]:
    """A client of nginx before a gateway, `unix:…` or host and port; plain HTTP, on a free port."""
    port = free_port()
    listen = (SNIPPETS / "listen.plain.conf").read_text().replace("listen 80 ", f"listen 127.0.0.1:{port} ")
    snippet = (SNIPPETS / "gateway.systemd.conf").read_text()
    snippet = re.sub(r"server \S+", f"server {gateway}", snippet)
    file = write_configuration(folder, gateway=snippet, listen=listen)
    binary = find_binary("nginx", package="nginx-light")
    # Not root's: pytest's folders are closed to others, and so is the socket of the tests.
    command = [binary, "-p", str(folder), "-c", str(file), "-g", "daemon off; user root;"]
    url = f"http://127.0.0.1:{port}"
    with (
        running(command, folder / "nginx.out", until=lambda: httpx_get(url)),
        httpx.Client(base_url=url, timeout=30) as client,
    ):
        yield client


def httpx_get(url: str) -> None:
    """Raise OSError while nobody listens."""
    try:
        httpx.get(url)
    except httpx.TransportError as error:
        raise OSError from error
