"""Fixtures: a small home of the demo catalog, made once by the real commands, and copies of it."""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from artifacts.store import ArtifactStore
from catalog.jobs import DEBOUNCE_S
from tests.commands import run_command

ROOT = Path(__file__).parents[1]
PATIENCE_S = 480
N_BOOKS, N_READERS = 688, 800
DEMO = ("import", "demo", "--readers", str(N_READERS), "--ratings", "16000")
SMALL_MODELS = {
    "BOOKMESH_SUBJECTS__N_EPOCHS": "1",
    "BOOKMESH_SUBJECTS__MAX_STEPS": "20",
    "BOOKMESH_SUBJECTS__DIM": "16",
    "BOOKMESH_ALS__N_FACTORS": "16",
    "BOOKMESH_ALS__N_ITERATIONS": "5",
    "BOOKMESH_RANKER__MAX_READERS": "200",
}
"""Trained in seconds, and with these readers far enough above the gate's floor.

The names are those of 0.1.0, which upgrades/seal_home.py can run too.
"""


@dataclass(frozen=True)
class Home:
    """A folder for BOOKMESH_HOME, and the `bookmesh` command on it as a real process."""

    path: Path
    settings: dict[str, str] = field(default_factory=dict)
    checkout: Path = ROOT
    python: str = sys.executable

    @property
    def store(self) -> ArtifactStore:
        return ArtifactStore(self.path / "artifacts")

    def environment(self) -> dict[str, str]:
        """What the command sees: nothing of the developer's own settings; lines wide enough not to wrap."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("BOOKMESH_")}
        fixed = {"BOOKMESH_HOME": str(self.path), "COLUMNS": "300", "OPENBLAS_NUM_THREADS": "1"}
        return {**inherited, **SMALL_MODELS, **fixed, **self.settings}

    def command(self, *words: str) -> list[str]:
        """The words that start `bookmesh` with the home's interpreter."""
        return [self.python, "-m", "cli.main", *words]

    def run(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """`bookmesh` with these words, to its end."""
        environment = {**self.environment(), **settings}
        if (self.checkout, self.python) == (ROOT, sys.executable):
            return run_command(words, environment, folder=ROOT, timeout_s=PATIENCE_S)
        return subprocess.run(
            self.command(*words),
            cwd=self.checkout,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def succeed(self, *words: str, **settings: str) -> str:
        """What the command prints as its answer; the test fails if the command does."""
        done = self.run(*words, **settings)
        assert done.returncode == 0, f"bookmesh {' '.join(words)} ended with {done.returncode}: {done.stderr}"
        return done.stdout

    def fail(self, *words: str, code: int = 1, **settings: str) -> str:
        """The one-sentence message of a command that must fail; a traceback is no such message."""
        done = self.run(*words, **settings)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr

    def copy(self, path: Path, **settings: str) -> "Home":
        """The same data in another folder."""
        shutil.copytree(self.path, path)
        return replace(self, path=path, settings={**self.settings, **settings})


@pytest.fixture(scope="session")
def imported_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The demo catalog, and no version yet. Never changed: tests work on copies."""
    home = Home(tmp_path_factory.mktemp("imported") / "home")
    home.succeed(*DEMO)
    return home


@pytest.fixture(scope="session")
def trained_home(imported_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The demo catalog and one promoted version of it. Never changed: tests work on copies."""
    home = imported_home.copy(tmp_path_factory.mktemp("trained") / "home")
    time.sleep(DEBOUNCE_S)  # a training settles the refresh that the import left only once that is due
    home.succeed("train")
    return home


@pytest.fixture
def copied_home(trained_home: Home, tmp_path: Path) -> Home:
    """A trained home of the test's own."""
    return trained_home.copy(tmp_path / "home")


@pytest.fixture
def empty_home(tmp_path: Path) -> Home:
    """A home where nothing has happened yet."""
    return Home(tmp_path / "home")
