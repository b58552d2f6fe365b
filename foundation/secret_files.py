"""Writes files that their owner alone can read."""

import os
import secrets
from pathlib import Path


def write_secret(file: Path, content: bytes) -> None:
    """Write a file that its owner alone can read, whole or not at all; its folder is made likewise."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(content)
    new.replace(file)
