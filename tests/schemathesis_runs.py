"""Runs schemathesis over the OpenAPI document of a gateway that runs."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import httpx

PATIENCE_S: Final = 120
"""For what a machine that stalls may take besides."""
CONFIGURATION: Final = Path(__file__).parent / "loopback" / "schemathesis.toml"
NOBODY: Final = {"AUTHORIZATION": "", "AUTHORIZATION_OF_SERVICE": "", "AUTHORIZATION_OF_ADMIN": ""}


def run_schemathesis(
    url: str, *options: str, folder: Path, authorizations: Mapping[str, str], max_s: int
) -> None:
    """Fail if made-up requests find a fault; for about so many seconds."""
    httpx.get(url, timeout=PATIENCE_S).raise_for_status()  # made once, for which schemathesis waits 10 s
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", CONFIGURATION),
            *("run", url, "--checks", "all"),
            *("--phases", "examples,coverage,fuzzing", "--max-time", str(max_s), "--seed", "1"),
            *("--continue-on-failure", "--warnings", "off", "--no-color", *options),
        ],
        cwd=folder,
        env={**os.environ, **NOBODY, **authorizations},
        capture_output=True,
        text=True,
        timeout=max_s + PATIENCE_S,
        check=False,
    )

    print("\n".join(done.stdout.splitlines()[-16:]))
    assert done.returncode == 0, done.stdout[-8000:]
