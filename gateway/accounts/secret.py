"""The secret that access tokens are signed with: of the settings, or one of this home's own."""

import errno
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from pydantic import SecretStr

N_BYTES: Final = 32
"""As many as the digest of HS256 has."""
_WHOLE: Final = re.compile(rf"[0-9a-f]{{{2 * N_BYTES}}}")


def read_signing_secret(given: SecretStr | None, file: Path) -> bytes:
    """What the settings give, else what the file holds, which is made if it is not there.

    Of several processes that make it at the same time one does. Raises OSError, also for a damaged file.
    """
    if given is not None:
        return given.get_secret_value().encode()
    if not file.exists():
        _make(file)
    text = file.read_text("ascii", errors="replace")
    if not _WHOLE.fullmatch(text):
        raise OSError(errno.EIO, "holds no secret: delete it, and the next start makes another", str(file))
    return bytes.fromhex(text)


def _make(file: Path) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(secrets.token_hex(N_BYTES))
    try:
        # A link appears whole and only once, unlike what is opened and written, or renamed.
        with suppress(FileExistsError):
            os.link(new, file)
    finally:
        new.unlink()
