"""Runs `bookmesh` in real processes that begin with all its imports: those take longer than most commands."""

import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from multiprocessing import forkserver, get_context
from multiprocessing.context import ForkServerContext
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest

IMPORTED = [
    "__main__",
    "cli.main",
    "catalog.importing",
    "pipeline.compare",
    "pipeline.comparing.documents",
    "pipeline.refresh",
    "implicit.als",
]


def run_command(
    words: Sequence[str], environment: dict[str, str], *, folder: Path, timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """`bookmesh` with these words, to its end: a process that is forked from one that has imported it."""
    with TemporaryDirectory() as name:
        output = Path(name)
        process = _context().Process(target=_run, args=(words, environment, folder, output))
        process.start()
        process.join(timeout_s)
        if process.is_alive():
            process.kill()
            pytest.fail(f"bookmesh {' '.join(words)} did not end within {timeout_s} s")
        printed = [(output / name).read_text() for name in ("stdout", "stderr")]
        return subprocess.CompletedProcess(["bookmesh", *words], process.exitcode or 0, *printed)


@cache
def _context() -> ForkServerContext:
    context = get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    # OpenBLAS reads this once, when it is imported.
    with patch.dict(os.environ, OPENBLAS_NUM_THREADS="1"):
        forkserver.ensure_running()
    return context


def _run(words: Sequence[str], environment: dict[str, str], folder: Path, output: Path) -> None:
    for number, name in (1, "stdout"), (2, "stderr"):
        os.dup2(os.open(output / name, os.O_WRONLY | os.O_CREAT), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["bookmesh", *words]
    from cli.main import app  # which the tests themselves need not import

    app()
