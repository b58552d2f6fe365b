"""The choice of the one version that the gateway requests from all servers."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

NO_VERSION: Final = "none"
"""Named by responses that no artifact version had a part in."""


@dataclass(frozen=True)
class HeldVersions:
    """What one live server can answer from."""

    current: str | None
    """The version that the server's pointer names: after a rollback, an older one."""
    held: frozenset[str]


def choose_version(servers: Collection[HeldVersions], pinned: str | None) -> str | None:
    """The version to pin, given what each live server holds and what is pinned now.

    The one that most servers hold, so all of them wherever they have one in common; among several, the one
    that most servers' pointers name; then the one that is pinned already, so that a half-finished promotion
    does not flip it to and fro. It leaves none behind that holds what is pinned, unless most lack that: those
    who lack it are told to load it, so the mesh will be whole again, which one left behind may never be.
    With no live server, or none that holds any, the pin stays as it is.
    """
    holders = {
        version: frozenset(place for place, server in enumerate(servers) if version in server.held)
        for server in servers
        for version in server.held
    }
    if not holders:
        return pinned
    to_keep = holders.get(pinned or NO_VERSION, frozenset())
    if 2 * len(to_keep) < len(servers):
        to_keep = frozenset()

    def merit(version: str) -> tuple[int, int, bool, str]:
        n_current = sum(version == server.current for server in servers)
        return len(holders[version]), n_current, version == pinned, version

    return max((version for version in holders if holders[version] >= to_keep), key=merit)
