"""Tells operators what has happened: of a training that fails, and by the command that services use."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from cli.console import err, fail
from cli.progress import StepBars
from notifications.notice import Notice, describe_failure
from notifications.notifier import Notifier
from notifications.settings import NotifySettings
from pipeline.errors import AlreadyTraining
from telemetry.logs import configure_logging


def open_notifier(process: str) -> Notifier:
    """A notifier of this process, which says on standard error what it cannot send."""
    configure_logging(process, level="warning")
    return Notifier(NotifySettings())


@contextmanager
def telling_of_failure(notifier: Notifier, bars: StepBars, current: str | None) -> Iterator[None]:
    """Tell at which step the block raised, and why; who only has to wait for another training does not."""
    try:
        yield
    except AlreadyTraining:
        raise
    except Exception as error:
        notifier.send(describe_failure(bars.where, f"{type(error).__name__}: {error}", current))
        raise


def notify(
    text: Annotated[str, typer.Argument(help="What to tell; a service manager names what has failed.")],
) -> None:
    """Send a notification of your own, which also tries the settings out."""
    settings = NotifySettings()
    if not settings.notify.emails and settings.notify.webhook_url is None:
        fail("nobody to notify: set BOOKMESH_NOTIFY__EMAILS or BOOKMESH_NOTIFY__WEBHOOK_URL", code=2)
    if not open_notifier("notify").send(Notice("message", text.splitlines()[0][:200], text)):
        fail("it was not sent to all; the lines above say why")
    err.print("sent")
