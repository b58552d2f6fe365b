"""Who runs a command, for the logs of what changes what is served."""

import getpass
import os


def read_operator() -> str:
    """The name of whoever runs this, or in a container that knows no names the number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
