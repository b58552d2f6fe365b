"""The token that model servers on a network ask for, so that only our gateways and commands get answers."""

import stat
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from pydantic import SecretStr

MIN_LENGTH: Final = 32


class MeshTokenInvalid(Exception):
    """No token where one is needed, or a file of one that is not secret; the message says what to do."""


def find_mesh_token(given: SecretStr | None, home: Path) -> str | None:
    """What the settings give, else what `secrets/mesh` of the home holds; None if there is neither.

    Raises MeshTokenInvalid for a file that others may read or that holds too little, OSError.
    """
    if given is not None:
        return given.get_secret_value()
    file = home / "secrets" / "mesh"
    if not file.exists():
        return None
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise MeshTokenInvalid(f"{file} may be read by others; chmod 600 it")
    token = file.read_text("ascii", errors="replace").strip()
    if len(token) < MIN_LENGTH or not token.isascii() or not token.isprintable():
        raise MeshTokenInvalid(f"{file} holds no token of at least {MIN_LENGTH} characters")
    return token


def build_headers(token: str | None) -> dict[str, str]:
    """What a request to a model server says to be let in."""
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
