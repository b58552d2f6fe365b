"""What `make setup` chooses to install, with a package index and a graphics driver of the test's own."""

import base64
import functools
import hashlib
import http.server
import os
import shutil
import socketserver
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_repository import ROOT

CPU_BUILD = "2.13.0+cpu"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with an environment that has pip, and nothing else."""
    folder = tmp_path_factory.mktemp("checkout")
    for file in ("Makefile", "constraints.txt"):
        shutil.copy(ROOT / file, folder)
    make(folder, ".venv/bin/python")
    return folder


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """The address of an index that has a CPU build of torch."""
    write_torch(tmp_path / "index" / "torch")
    handler = functools.partial(QuietHandler, directory=str(tmp_path / "index"))
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def write_torch(folder: Path) -> None:
    """A wheel with the name and version of PyTorch's build for CPUs, and nothing in it."""
    folder.mkdir(parents=True)
    info = f"torch-{CPU_BUILD}.dist-info"
    files = {
        "torch/__init__.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: torch\nVersion: {CPU_BUILD}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [f"{name},sha256={digest(text)},{len(text)}" for name, text in files.items()]
    with zipfile.ZipFile(folder / f"torch-{CPU_BUILD}-py3-none-any.whl", "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
        wheel.writestr(f"{info}/RECORD", "\n".join([*rows, f"{info}/RECORD,,"]))


def digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def make(checkout: Path, target: str, *, index: str = "", path: str = "") -> str:
    """What `make` prints."""
    done = subprocess.run(
        ["make", target, f"TORCH_INDEX={index}"],
        cwd=checkout,
        env={"PATH": f"{path}:{os.environ['PATH']}", "PIP_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout + done.stderr


def installed_torch(checkout: Path) -> list[str]:
    site_packages = checkout.glob(".venv/lib/python*/site-packages/torch-*.dist-info")
    return [folder.name.removeprefix("torch-").removesuffix(".dist-info") for folder in site_packages]


@pytest.fixture(autouse=True)
def without_torch(checkout: Path) -> None:
    (checkout / ".venv/.torch").unlink(missing_ok=True)
    subprocess.run([checkout / ".venv/bin/pip", "uninstall", "--quiet", "--yes", "torch"], check=True)


def test_without_a_gpu_pytorchs_own_build_for_cpus_is_taken(checkout: Path, index: str) -> None:
    make(checkout, ".venv/.torch", index=index)

    assert installed_torch(checkout) == [CPU_BUILD]


def test_an_index_that_cannot_be_reached_is_passed_over_without_a_word(checkout: Path) -> None:
    printed = make(checkout, ".venv/.torch", index="http://127.0.0.1:9")

    assert (printed, installed_torch(checkout)) == ("", [])


def test_with_a_gpu_nothing_is_chosen_for_the_operator(checkout: Path, index: str, tmp_path: Path) -> None:
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\n")
    driver.chmod(0o755)

    make(checkout, ".venv/.torch", index=index, path=str(tmp_path))

    assert installed_torch(checkout) == []
