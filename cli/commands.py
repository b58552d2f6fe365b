"""How any command ends when the environment or the machine makes it impossible: in one sentence."""

from typing import Any

from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError
from typer.core import TyperGroup

from cli.console import fail


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
