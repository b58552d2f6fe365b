"""How a command ends that cannot do its work: in one sentence, which tells whose matter that is."""

import errno
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Final

import typer.main
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from typer.core import TyperGroup
from typer.exceptions import Abort, Exit, TyperException

from artifacts.errors import ArtifactError
from backup.errors import BackupError
from catalog.errors import CatalogError, DatabaseUrlInvalid
from cli.console import err, fail
from cli.errors import CannotStart
from cli.log_files import keep_traceback
from foundation.mesh_token import MeshTokenInvalid
from foundation.settings import ProcessSettings, find_variable
from gateway.errors import UnsafeSettings
from pipeline.errors import PipelineError
from telemetry.tracing import TracingNotInstalled
from worker.errors import WorkerRunning

FAILURE_CODE: Final = 1
WRONG_SETTING_CODE: Final = 2
UNEXPECTED_CODE: Final = 70
"""EX_SOFTWARE of sysexits.h: the mistake is ours."""
MACHINE_ERRNOS: Final = {
    errno.EACCES, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EPERM, errno.EROFS,
}  # fmt: skip
"""What a machine may refuse, whichever file it is about."""


class Commands(TyperGroup):
    """Commands that end in one sentence; the module of each is imported when it is called."""

    places: ClassVar[Mapping[str, str]]
    """Module and name of each command's function, or of the `typer.Typer` of a group of them."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes | {"commands": FoundCommands(self.places)})

    def invoke(self, ctx: Any) -> Any:  # the type of ctx is private to typer
        with ending_in_one_sentence():
            return super().invoke(ctx)


class FoundCommands(Mapping[str, Any]):
    """Commands by their names; no command waits for what only others need."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = places

    def __getitem__(self, name: str) -> Any:  # the types of commands are private to typer
        module, _, attribute = self._places[name].partition(":")
        found = getattr(import_module(module), attribute)
        command: Any
        if isinstance(found, typer.Typer):
            command = typer.main.get_group(found)
        else:
            alone = typer.Typer(add_completion=False)
            alone.command()(found)
            command = typer.main.get_command(alone)
        command.name = name
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


@contextmanager
def ending_in_one_sentence() -> Iterator[None]:
    """End the process, where the block raises, with a message for the operator and a code of its own."""
    try:
        yield
    except (TyperException, Exit, Abort, BrokenPipeError):
        raise  # a word of typer's own; or the reader of our output has closed it, which is no failure
    except Exception as error:  # noqa: BLE001  (here, at the top, is where nothing may get past)
        message, code = explain(error)
        fail(message, code=code)


def explain(error: Exception) -> tuple[str, int]:
    """What to tell the operator, and the exit code; of what we had not foreseen a traceback is kept."""
    match error:
        case DatabaseUrlInvalid() | MeshTokenInvalid() | TracingNotInstalled() | UnsafeSettings():
            return str(error), WRONG_SETTING_CODE
        case ArtifactError() | BackupError() | CatalogError() | CannotStart():
            return str(error), FAILURE_CODE
        case PipelineError() | WorkerRunning():
            return str(error), FAILURE_CODE
        case ValidationError() if error.title.endswith("Settings"):
            mistakes = "; ".join(map(_describe, error.errors()))
            return f"{mistakes}; docs/settings.md explains each setting", WRONG_SETTING_CODE
        case OSError() if _is_machines(error):
            remedy = "BOOKMESH_HOME must name a folder on a disk with room that you may write to"
            return f"{error}; {remedy}", FAILURE_CODE
    if _is_database_busy(error):
        holder = "an import or another change holds the catalog"
        return f"{holder}; nothing was changed, try again in a while", FAILURE_CODE
    if (reason := _find_database_failure(error)) is not None:
        variable = find_variable("catalog", "database_url")
        return f"the database cannot be used: {reason}; see {variable}", FAILURE_CODE
    return _explain_unexpected(error), UNEXPECTED_CODE


def _describe(mistake: ErrorDetails) -> str:
    # What was given is not shown: it may hold a password, under a wrong name too.
    is_unknown = mistake["type"] == "extra_forbidden"
    return f"{find_variable(*mistake['loc'])}: {'there is no such setting' if is_unknown else mistake['msg']}"


def _is_machines(error: OSError) -> bool:
    """Whether the disk or its rights are to blame; a file that we look for in vain elsewhere is not."""
    home = ProcessSettings().home.absolute()
    is_at_home = isinstance(error.filename, str) and Path(error.filename).absolute().is_relative_to(home)
    return error.errno in MACHINE_ERRNOS or is_at_home


def _is_database_busy(error: Exception) -> bool:
    from sqlalchemy.exc import SQLAlchemyError

    from catalog.database import is_busy

    return isinstance(error, SQLAlchemyError) and is_busy(error)


def _find_database_failure(error: Exception) -> str | None:
    """What the database said, if it failed; None if it was asked nonsense, or the error is no database's."""
    # Model servers end here too, which work without SQL.
    from sqlalchemy.exc import SQLAlchemyError

    from catalog.database import is_our_mistake

    if not isinstance(error, SQLAlchemyError) or is_our_mistake(error):
        return None
    return str(getattr(error, "orig", None) or error).splitlines()[0]


def _explain_unexpected(error: Exception) -> str:
    try:
        where = f"in {keep_traceback(error, ProcessSettings().home)}"
    except OSError:
        err.print("".join(traceback.format_exception(error)), markup=False, highlight=False, soft_wrap=True)
        where = "above"
    summary = "".join(traceback.format_exception_only(error)).splitlines()[0]
    return f"unexpected {summary}; this is a mistake of ours: please report it with the traceback {where}"
