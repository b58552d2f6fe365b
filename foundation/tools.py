"""What work is given besides its inputs: how fast it goes and who hears of it, nothing that it returns."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Advance = Callable[[float], None]
"""Called by a long step with the share of its work that is done, 0 to 1."""


@dataclass(frozen=True)
class Tools:
    """No result may depend on these, so that they are in no result's key."""

    threads: int
    advance: Advance
    workspace: Path
    """Where files may be written that nobody needs after the run."""
