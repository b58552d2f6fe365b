"""What the workers of one server tell each other: whichever is asked answers for all on its socket."""

import json
import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

LOOK_NOW: Final = signal.SIGUSR1
"""Tells a worker to look at the pointer."""
POLL_S: Final = 0.02
PATIENCE_S: Final = 25.0
"""Less than who moved the pointer waits for an answer."""


@dataclass(frozen=True)
class Holding:
    """What one worker holds. Times are monotonic, which all processes of a machine share."""

    held: list[str]
    """The current version first."""
    current_since_s: float
    looked_at_s: float
    """When it began the look at the pointer that this came of."""
    error: str | None
    named_at_s: Mapping[str, float] = field(default_factory=dict)
    """Versions that gateways have named to it, whether it holds them or not."""


class Siblings:
    """A file for each worker, in a folder that they share; gunicorn removes that of a dead one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own = folder / f"{os.getpid()}.json"

    def tell(self, holding: Holding) -> None:
        """Let the others know. Raises OSError."""
        new = self._own.with_suffix(".new")
        new.write_text(json.dumps(asdict(holding)))
        new.replace(self._own)

    def read(self) -> dict[int, Holding]:
        """What each other worker holds, by its pid."""
        found = {}
        for file in self._folder.glob("*.json"):
            if file != self._own:
                try:
                    found[int(file.stem)] = Holding(**json.loads(file.read_text()))
                except FileNotFoundError:
                    continue  # it has just ended
        return found

    def make_look(self) -> None:
        """Make the others look at the pointer."""
        for pid in self.read():
            with suppress(ProcessLookupError):
                os.kill(pid, LOOK_NOW)

    def wait_for_look(self, since_s: float) -> None:
        """Return when the others have looked, or have had the time."""
        while any(each.looked_at_s < since_s for each in self.read().values()):
            if time.monotonic() - since_s > PATIENCE_S:
                return
            time.sleep(POLL_S)


class Agreed(NamedTuple):
    """What all workers of a server have in common."""

    current: str | None
    """Of the slowest, so that none who says that it is current is ahead of another."""
    held: list[str]
    error: str | None
    """Why one of them could not load what the pointer names."""


def agree(own: Holding, others: Mapping[int, Holding]) -> Agreed:
    """What this worker and all the others hold."""
    everyone = [own, *others.values()]
    held = [version for version in own.held if all(version in each.held for each in everyone)]
    slowest = min(everyone, key=lambda each: each.current_since_s)
    current = next((version for version in slowest.held if version in held), None)
    return Agreed(current, held, next((each.error for each in everyone if each.error), None))
