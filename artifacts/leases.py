"""Leases: which versions a running process holds, so that the garbage collection leaves them alone."""

import os
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import AwareDatetime, ValidationError

from artifacts.documents import Document
from artifacts.errors import LeaseNameInvalid
from artifacts.files import replace_file

LEASES = "leases"
LEASE_LIFE = timedelta(minutes=5)
"""A lease not renewed for so long is ignored: its holder is gone."""
_HOLDER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")


class Lease(Document):
    """What one process holds."""

    holder: str
    pid: int
    """For people; whether a lease is fresh follows from its heartbeat, which holds across containers too."""
    heartbeat_at: AwareDatetime
    versions: tuple[str, ...]


def write_lease(root: Path, holder: str, versions: Iterable[str], *, now: datetime) -> None:
    """Take or renew a lease; it replaces the holder's former one."""
    lease = Lease(holder=holder, pid=os.getpid(), heartbeat_at=now, versions=tuple(sorted(set(versions))))
    replace_file(root, _path(root, holder), lease.model_dump_json().encode(), name=f"lease of {holder}")


def remove_lease(root: Path, holder: str) -> None:
    """Give a lease back; nothing happens if there is none."""
    _path(root, holder).unlink(missing_ok=True)


def read_fresh_leases(root: Path, *, now: datetime) -> list[Lease]:
    """Read the leases whose holders still renew them."""
    leases = (_read(path) for path in sorted((root / LEASES).glob("*.json")))
    return [lease for lease in leases if lease is not None and now - lease.heartbeat_at < LEASE_LIFE]


def remove_stale_leases(root: Path, *, now: datetime) -> None:
    """Remove the leases whose holders are gone."""
    fresh = {lease.holder for lease in read_fresh_leases(root, now=now)}
    for path in (root / LEASES).glob("*.json"):
        if path.stem not in fresh:
            path.unlink(missing_ok=True)


def _path(root: Path, holder: str) -> Path:
    if not _HOLDER.fullmatch(holder):
        raise LeaseNameInvalid(holder)
    return root / LEASES / f"{holder}.json"


def _read(path: Path) -> Lease | None:
    try:
        return Lease.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None  # released meanwhile, or no lease at all
