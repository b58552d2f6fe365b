"""What `pip install .` installs: all that runs, found without the checkout and from any folder."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.test_repository import PACKAGES, ROOT

OFFLINE = ("--no-deps", "--no-index", "--disable-pip-version-check", "--quiet")


@dataclass(frozen=True)
class Installation:
    """An environment of its own whose only own package is ours; the others are those that run the tests."""

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
    # Only the folder itself: a .pth file in it, such as that of an editable install, is not read again.
    (installation.site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
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
