"""What every command prints with: one console for answers, one for messages, one way to fail."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from sqlalchemy.exc import SQLAlchemyError
from typer.core import TyperGroup

PIPE_WIDTH = 160
"""Columns of a table that is written to a file or another program, where nothing tells a width."""


def _open_console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(stderr=stderr, width=PIPE_WIDTH)


out = _open_console(stderr=False)
err = _open_console(stderr=True)


def fail(message: str, *, code: int = 1) -> NoReturn:
    """End the command with a message for the operator and an exit code of its own."""
    err.print(f"[bold red]error:[/] {escape(message)}", highlight=False, soft_wrap=True)
    raise typer.Exit(code)


@contextmanager
def failing_clearly(*errors: type[Exception], code: int = 1) -> Iterator[None]:
    """Turn these errors, whose messages say what to do, into the end of the command."""
    try:
        yield
    except errors as error:
        fail(str(error), code=code)


class Commands(TyperGroup):
    """All commands: what the environment or the machine makes impossible ends any of them in one sentence."""

    def invoke(self, ctx: Any) -> Any:  # the type of ctx is private to typer
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except ValidationError as error:
            if not error.title.endswith("Settings"):
                raise
            fail(f"{_list_settings(error)}; docs/settings.md explains each setting", code=2)
        except SQLAlchemyError as error:
            fail(f"the database cannot be used: {_first_line(error)}; see BOOKMESH_DATABASE_URL")
        except BrokenPipeError:
            raise  # whoever read our output wants no more of it; that is no failure
        except OSError as error:
            fail(f"{error}; BOOKMESH_HOME must name a folder on a disk with room that you may write to")


def _list_settings(error: ValidationError) -> str:
    return "; ".join(
        f"BOOKMESH_{'__'.join(map(str, mistake['loc'])).upper()}: {mistake['msg']}, not {mistake['input']!r}"
        for mistake in error.errors()
    )


def _first_line(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]
