"""Which versions a server keeps in memory."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from artifacts.manifest import Manifest
from artifacts.store import Loaded

M = TypeVar("M")

MOST_HELD: Final = 3
"""Versions in memory at most, one that is being loaded included: the current, the pinned, and one more."""
NEEDED_S: Final = 2.0
"""What was named so lately is answered from: gateways name theirs every half second."""
NEVER_S: Final = float("-inf")


@dataclass(eq=False)
class Held(Generic[M]):
    """One version in memory; the model never changes, the rest decides when it may go."""

    loaded: Loaded[M]
    shapes: dict[str, list[int]]
    manifest: Manifest
    named_at_s: float = NEVER_S
    """When a gateway last named it, in a request or as its pin; monotonic."""
    replaced_at_s: float = NEVER_S
    """When another one became current in its place; monotonic."""
    in_use: int = 0
    """Requests that are being answered from it."""

    @property
    def is_named(self) -> bool:
        """Whether a gateway has ever named it."""
        return self.named_at_s != NEVER_S

    @property
    def is_needed(self) -> bool:
        """Whether a gateway answers from it now."""
        return time.monotonic() - self.named_at_s < NEEDED_S

    @property
    def version(self) -> str:
        return self.loaded.version

    @property
    def model(self) -> M:
        return self.loaded.record


def find_unwanted(held: Sequence[Held[Any]], keep_s: float) -> list[Held[Any]]:
    """Former versions that no request uses, and that nobody has named for so long."""
    since_s = time.monotonic() - keep_s
    return [
        each for each in held[1:] if not each.in_use and max(each.named_at_s, each.replaced_at_s) < since_s
    ]


def find_surplus(held: Sequence[Held[Any]]) -> list[Held[Any]]:
    """What goes before one more is loaded: never the current one, first what was named longest ago."""
    by_need = sorted(held[1:], key=lambda each: each.named_at_s, reverse=True)
    return by_need[MOST_HELD - 2 :]
