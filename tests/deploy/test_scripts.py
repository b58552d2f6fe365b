"""The scripts have no mistake that shellcheck knows, and say how they are used."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.homes import ROOT

SCRIPTS = sorted([*(ROOT / "deploy").glob("*.sh"), *(ROOT / "tests").glob("*.sh"), ROOT / ".ci" / "run"])


def test_shellcheck_finds_nothing_wrong() -> None:
    words = [Path(sys.executable).parent / "shellcheck", *SCRIPTS]

    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("name", ["deploy.sh", "compose-env.sh"])
def test_a_script_without_its_words_says_which(name: str) -> None:
    done = subprocess.run(["bash", ROOT / "deploy" / name], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert f"deploy/{name} " in done.stderr
