"""The images, built step by step in an empty Debian: what runs, PyTorch where it trains, and no root."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.homes import DEMO, SMALL_MODELS
from tests.long.clean_root import CERTIFICATES, OWN_WHEELS, WHEELS, Stage, build, copy
from tests.meshes import wait_until
from tests.services import free_port

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]

HOME = Path("var/lib/bookmesh")
PATIENCE_S = 120
MIB = 2**20
REPORT = Path(__file__).with_name("clean_root.md")


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stage]:
    """Every stage, PyTorch from PyPI's index, which more machines reach than PyTorch's own."""
    if os.geteuid() != 0:
        pytest.fail("a root of its own needs root: sudo make test-long")
    arguments = {"TORCH_INDEX": "https://pypi.org/simple"}
    settings = {"PIP_CERT": str(CERTIFICATES), OWN_WHEELS: WHEELS}
    return build(tmp_path_factory.mktemp("roots"), arguments, **settings)


@pytest.fixture(scope="module")
def trained(stages: dict[str, Stage]) -> Stage:
    """The image that trains, having trained."""
    for words in (DEMO, ("train",)):
        done = stages["train"].run("bookmesh", *words, **SMALL_MODELS)
        assert done.returncode == 0, done.stderr
    return stages["train"]


@pytest.fixture
def als(stages: dict[str, Stage], trained: Stage) -> Iterator[str]:
    """Address of a model server of the image that serves, on what the other one has trained."""
    copy(trained.root / HOME / "artifacts", stages["serve"].root / HOME / "artifacts")
    port = free_port()
    command = stages["serve"].command("bookmesh", "serve", "als")
    variables = {**stages["serve"].variables, "BOOKMESH_SERVERS__PORTS__ALS": str(port)}
    process = subprocess.Popen(command, env=variables, start_new_session=True)
    yield f"http://127.0.0.1:{port}"
    # A change of user made the server forget that it should end with unshare.
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(PATIENCE_S)


@pytest.mark.parametrize("name", ["serve", "train"])
def test_an_image_runs_the_command_and_not_as_root(stages: dict[str, Stage], name: str) -> None:
    shown = stages[name].run("bookmesh", "--help")
    user = stages[name].run("id", "-u")
    owner = (stages[name].root / HOME).stat().st_uid

    assert (shown.returncode, shown.stderr) == (0, "")
    assert (user.stdout.strip(), owner) == ("10001", 10001)


def test_pytorch_is_where_it_trains_alone(stages: dict[str, Stage]) -> None:
    has_torch = {
        name: stages[name].run("python", "-c", "import torch").returncode == 0 for name in ("serve", "train")
    }

    assert has_torch == {"serve": False, "train": True}


def test_no_tool_for_building_comes_along(stages: dict[str, Stage]) -> None:
    assert not (stages["serve"].root / "src").exists()
    assert stages["serve"].run("sh", "-c", "command -v gcc git").returncode != 0


def test_what_one_image_trains_the_other_serves(als: str, stages: dict[str, Stage]) -> None:
    def is_ready() -> bool:
        try:
            return httpx.get(f"{als}/health/ready").status_code == 200
        except httpx.TransportError:
            return False

    wait_until(is_ready, patience_s=PATIENCE_S)
    write_report(stages)
    assert httpx.get(f"{als}/info").json()["server"] == "als"


def write_report(stages: dict[str, Stage]) -> None:
    """Which stages there are, and how large what bookmesh needs is in each."""
    lines = [
        "# The images in a clean root",
        "",
        "Written by `make test-long`: the steps of the Dockerfile in an empty Debian.",
        "One image trained, the other served that.",
        "",
        "| stage | MiB with Debian | MiB of `/opt/bookmesh` | runs as |",
        "|---|---|---|---|",
    ]
    for name, stage in stages.items():
        whole, ours = (measure(folder) / MIB for folder in (stage.root, stage.root / "opt" / "bookmesh"))
        lines.append(f"| {name} | {whole:.0f} | {ours:.0f} | {stage.user} |")
    REPORT.write_text("\n".join([*lines, ""]))


def measure(folder: Path) -> int:
    return sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())
