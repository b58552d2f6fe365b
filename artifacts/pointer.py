"""The version pointer, and the log of who moved it, from what, to what, and why."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime

from artifacts.documents import Document
from artifacts.files import replace_file

POINTER = "CURRENT"
LOG = "PROMOTIONS.jsonl"


class Promotion(Document):
    """One move of the pointer."""

    at: AwareDatetime
    action: Literal["promote", "rollback"]
    from_version: str | None
    to_version: str
    by: str
    why: str
    forced: bool = False
    """Promoted although the gate had refused it."""
    refresh_of: str | None = None
    """The trained version that a refresh is a child of; None for a trained one."""

    @property
    def trained_version(self) -> str:
        """What retention and rollback count: the version moved to, or the one that it refreshes."""
        return self.refresh_of or self.to_version


def read_pointer(root: Path) -> str | None:
    """Read the current version; None before the first promotion."""
    try:
        return (root / POINTER).read_text("ascii").strip()
    except FileNotFoundError:
        return None


def read_promotions(root: Path) -> list[Promotion]:
    """Read all moves of the pointer, oldest first; the caller holds the store's lock."""
    try:
        lines = (root / LOG).read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
    promotions = [Promotion.model_validate_json(line) for line in lines]
    # A move is logged first and made second: a last line that the pointer does not confirm never happened.
    if promotions and promotions[-1].to_version != read_pointer(root):
        promotions.pop()
    return promotions


def move_pointer(root: Path, promotion: Promotion) -> None:
    """Log a move and make it, under the store's lock; stopped anywhere, the pointer is old or new."""
    # The log is replaced as a whole, so that no crash can leave half a line in it.
    lines = [entry.model_dump_json() for entry in [*read_promotions(root), promotion]]
    replace_file(root, root / LOG, ("\n".join(lines) + "\n").encode(), name=LOG)
    replace_file(root, root / POINTER, (promotion.to_version + "\n").encode("ascii"), name=POINTER)


def promoted_before_current(promotions: Sequence[Promotion]) -> str | None:
    """Return where a rollback leads: one trained version back, and one further for each made already."""
    stack: list[str] = []
    for promotion in promotions:
        if promotion.action == "rollback":
            stack.pop()
        elif promotion.trained_version not in stack[-1:]:
            stack.append(promotion.trained_version)
    return stack[-2] if len(stack) > 1 else None
