"""Every file-system change that Python code makes, intercepted: to record it, stop at it, or make it fail."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

CHANGES = (
    "open",
    "write",
    "fsync",
    "replace",
    "rename",
    "unlink",
    "remove",
    "mkdir",
    "rmdir",
    "symlink",
    "utime",
)
AUDITED = (
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.utime",
    "os.truncate",
)

Hook = Callable[[str, Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]
"""Called in place of an operation, with its name, itself and its arguments."""


@contextmanager
def intercepted(hook: Hook) -> Iterator[None]:
    """Let hook do every change in place of the function of `os`."""
    originals = {name: getattr(os, name) for name in CHANGES}
    for name, original in originals.items():
        setattr(os, name, _wrap(hook, name, original))
    try:
        yield
    finally:
        for name, original in originals.items():
            setattr(os, name, original)


def _wrap(hook: Hook, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    def intercept(*args: Any, **kwargs: Any) -> Any:
        return hook(name, original, args, kwargs)

    return intercept


def watch_for_escapes(is_inside: Callable[[], bool], on_escape: Callable[[str], None]) -> None:
    """Tell of any change that is made outside an intercepted operation; for the rest of this process."""

    def audit(event: str, args: tuple[Any, ...]) -> None:
        is_writing_open = event == "open" and bool(args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        if (event in AUDITED or is_writing_open) and not is_inside():
            on_escape(f"{event} {args}")

    sys.addaudithook(audit)
