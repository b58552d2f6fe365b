"""What every command prints with: one console for answers, one for messages, one way to fail."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
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
    raise typer.Exit(code)


@contextmanager
def failing_clearly(*errors: type[Exception], code: int = 1) -> Iterator[None]:
    """End the command with the message of any of these errors."""
    try:
        yield
    except errors as error:
        fail(str(error), code=code)
