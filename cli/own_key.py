"""The key that commands of this home ask the gateway with, in a file that its owner alone can read.

The file is the header that it is sent in, as `curl -H @FILE` takes it: so the key never stands among the
words of a command, which every user of the machine can read.
"""

import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from catalog import audit, keys
from catalog.database import Database
from cli.users import CLI
from foundation.secret_files import write_secret
from gateway.accounts.callers import Scope

_HEADER: Final = re.compile(rf"Authorization: (Bearer ({keys.KEY_PREFIX}[\w-]+))\n")


def key_path(home: Path) -> Path:
    """Where the key of a home is."""
    return home.resolve() / "secrets" / "cli.key"


def read_headers(home: Path) -> dict[str, str]:
    """What to send with a request: nothing if the home has no key yet."""
    found = _read(home)
    return {"Authorization": found[1]} if found else {}


def keep_key(db: Database, home: Path) -> None:
    """Make the key of a home if it has none that the catalog knows. Raises OSError."""
    found = _read(home)
    with db.session() as session:
        if found and keys.is_good(session, found[2]):
            return
    name = f"cli-{secrets.token_hex(4)}"
    with db.session(write=True) as session:
        key = keys.create_key(session, name, [Scope.READERS])
        audit.record(session, CLI, "create-key", f"key {name}", {"scopes": [Scope.READERS]})
        write_secret(key_path(home), f"Authorization: Bearer {key}\n".encode())


def _read(home: Path) -> re.Match[str] | None:
    with suppress(FileNotFoundError):
        return _HEADER.fullmatch(key_path(home).read_text("ascii", errors="replace"))
    return None
