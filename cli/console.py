"""What every command prints with: one console for answers, one for messages, one way to fail."""

import sys
from typing import NoReturn

from rich.console import Console
from rich.markup import escape
from rich.table import Column

PIPE_WIDTH = 160
"""Columns of a table that is written to a file or another program, which have no width of their own."""


def _open_console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(stderr=stderr, width=PIPE_WIDTH)


out = _open_console(stderr=False)
err = _open_console(stderr=True)


def number(header: str) -> Column:
    """A column of numbers, flush right."""
    return Column(header, justify="right")


def fail(message: str, *, code: int = 1) -> NoReturn:
    """End the command with a message for the operator and an exit code of its own."""
    err.print(f"[bold red]error:[/] {escape(message)}", highlight=False, soft_wrap=True)
    sys.exit(code)
