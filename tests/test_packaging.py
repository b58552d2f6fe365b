"""What `pip install .` installs: all that serves, found without the checkout and from any folder."""

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.metadata import Distribution, PathDistribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from cli.installation import TRAINING_LIBRARIES
from tests.homes import Home
from tests.meshes import running_mesh
from tests.test_repository import PACKAGES, ROOT

OFFLINE = ("--no-deps", "--no-index", "--disable-pip-version-check", "--quiet")


@dataclass(frozen=True)
class Installation:
    """An environment of its own: our wheel, and what it requires as it stands in the tests' environment."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        (found,) = self.folder.glob("lib/python*/site-packages")
        return found

    def run(self, *command: str | Path, cwd: Path) -> str:
        """What a command prints, which must succeed without our settings and without the checkout."""
        hidden = ("BOOKMESH_", "PYTHON", "VIRTUAL_ENV")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
        done = subprocess.run(
            command, cwd=cwd, env={**environment, "COLUMNS": "200"}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def find_required(dist: Distribution, extras: Iterable[str] = ("",)) -> dict[str, Distribution]:
    """What pip would install for a distribution, by name: its requirements and theirs."""
    found: dict[str, Distribution] = {}
    for requirement in map(Requirement, dist.requires or ()):
        is_wanted = requirement.marker is None or any(
            requirement.marker.evaluate({"extra": extra}) for extra in extras
        )
        if is_wanted and requirement.name not in found:
            required = distribution(requirement.name)
            found |= {requirement.name: required, **find_required(required, requirement.extras or ("",))}
    return found


def link_files(dist: Distribution, folder: Path) -> None:
    """Put a distribution's modules into a site-packages folder, file by file: some share a namespace."""
    for file in dist.files or ():
        link = folder / file
        if ".." not in file.parts and not link.exists():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(Path(str(dist.locate_file(file))))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is built from, since a build leaves folders behind."""
    source = tmp_path_factory.mktemp("source")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for file in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / file, source)
    return source


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", *OFFLINE, "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", folder, source], check=True)
    (wheel,) = folder.glob("bookmesh-*.whl")
    return wheel


@pytest.fixture(scope="module")
def installation(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    installation = Installation(tmp_path_factory.mktemp("environment"))
    venv.create(installation.folder, symlinks=True)
    install = [sys.executable, "-m", "pip", "--python", installation.python, "install", *OFFLINE]
    subprocess.run([*install, wheel], check=True)
    (ours,) = installation.site_packages.glob("bookmesh-*.dist-info")
    for required in find_required(PathDistribution(ours)).values():
        link_files(required, installation.site_packages)
    return installation


def test_every_file_below_a_package_folder_is_in_the_wheel(source: Path, wheel: Path) -> None:
    written = {
        path.relative_to(source).as_posix()
        for package in PACKAGES
        for path in (source / package).rglob("*")
        if path.is_file()
    }

    packed = set(zipfile.ZipFile(wheel).namelist())

    assert sorted(written - packed) == []


def test_the_wheel_holds_our_packages_and_nothing_else(wheel: Path) -> None:
    top = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}

    assert {name for name in top if not name.endswith(".dist-info")} == set(PACKAGES)


def test_the_installed_command_runs_from_an_empty_folder(installation: Installation, tmp_path: Path) -> None:
    bookmesh = installation.folder / "bin" / "bookmesh"

    assert "train" in installation.run(bookmesh, "--help", cwd=tmp_path)
    installation.run(bookmesh, "import", "demo", "--readers", "50", "--ratings", "1000", cwd=tmp_path)
    installation.run(bookmesh, "versions", "list", cwd=tmp_path)
    assert (tmp_path / ".bookmesh" / "catalog.db").is_file()


def test_what_is_installed_is_what_is_imported(installation: Installation, tmp_path: Path) -> None:
    script = (
        "import importlib, sys; print(*(importlib.import_module(name).__file__ for name in sys.argv[1:]))"
    )

    files = installation.run(installation.python, "-c", script, *PACKAGES, cwd=tmp_path).split()

    assert files == [str(installation.site_packages / package / "__init__.py") for package in PACKAGES]


def test_a_machine_that_serves_needs_no_library_that_trains(
    installation: Installation, trained_home: Home, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    home = replace(
        trained_home.copy(tmp_path / "home"), checkout=tmp_path / "empty", python=str(installation.python)
    )

    with running_mesh(home) as mesh:
        listed = mesh.get("/v1/users/1/recommendations", k=5)
        found = mesh.get("/v1/search/semantic", q="a shipwrecked sailor", k=5)

    assert len(listed["items"]) == len(found["items"]) == 5
    assert listed["degraded"] == found["degraded"] == []
    assert "no training is begun here" in (home.path / "logs" / "worker.log").read_text()
    assert "nothing to refresh" in home.succeed("refresh")
    for command in ("train", "evaluate", "tune"):
        assert "pip install 'bookmesh[train]'" in home.fail(command)
    present = "import importlib.util as u, sys; print(*filter(u.find_spec, sys.argv[1:]))"
    assert installation.run(installation.python, "-c", present, *TRAINING_LIBRARIES, cwd=tmp_path) == "\n"
