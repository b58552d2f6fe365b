"""How any command ends when the environment or the machine makes it impossible: in one sentence."""

from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from sqlalchemy.exc import SQLAlchemyError
from typer.core import TyperGroup

from cli.console import fail
from foundation.settings import find_variable


class Commands(TyperGroup):
    """Ends any command in one sentence where the environment or the machine makes it impossible."""

    def invoke(self, ctx: Any) -> Any:  # the type of ctx is private to typer
        try:
            return super().invoke(ctx)
        except ValidationError as error:
            if not error.title.endswith("Settings"):
                raise
            mistakes = "; ".join(map(_describe, error.errors()))
            fail(f"{mistakes}; docs/settings.md explains each setting", code=2)
        except SQLAlchemyError as error:
            variable = find_variable("catalog", "database_url")
            fail(f"the database cannot be used: {_first_line(error)}; see {variable}")
        except BrokenPipeError:
            raise  # the reader of our output has closed it, which is no failure
        except OSError as error:
            fail(f"{error}; BOOKMESH_HOME must name a folder on a disk with room that you may write to")


def _describe(mistake: ErrorDetails) -> str:
    variable = find_variable(*mistake["loc"])
    # What was given for a setting that is none, or for several at once, may hold a password.
    match mistake["type"]:
        case "extra_forbidden":
            return f"{variable}: there is no such setting"
        case "model_type":
            return f"{variable}: {mistake['msg']}"
        case _:
            return f"{variable}: {mistake['msg']}, not {mistake['input']!r}"


def _first_line(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]
