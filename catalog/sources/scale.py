"""What a source's ratings mean on the catalog's own scale."""

import math
import re
from dataclasses import dataclass

from catalog.errors import SourceOptionInvalid

_FINEST = 1.25e-6
"""The least step, as a share of a scale's width, that the six digits tell which MariaDB has of a rating."""
_RANGE = re.compile(r"(-?\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Scale:
    """A source's rating scale, as it writes it.

    The catalog keeps ratings from 1 to 10: the lowest of the source is 1, its highest 10, those between in
    proportion. On a scale of 1 to 5 a 4 is 7.75.
    """

    lowest: float = 1.0
    highest: float = 10.0
    implicit: str = ""
    """How the source writes that a reader used an item and did not judge it."""
    whole: bool = False
    """Whether there is nothing between two whole numbers."""

    @classmethod
    def from_text(cls, text: str, *, implicit: str = "") -> "Scale":
        """A scale such as "1-5" or "0.5-5". Raises SourceOptionInvalid."""
        found = _RANGE.fullmatch(text)
        if not found or float(found[1]) >= float(found[2]):
            raise SourceOptionInvalid(
                "scale", text, expected="the lowest and the highest rating, such as 1-5"
            )
        return cls(float(found[1]), float(found[2]), implicit)

    def parse(self, text: str) -> float | None:
        """The rating from 1 to 10, None for an implicit one. Raises ValueError for what is no rating."""
        if text == self.implicit:
            return None
        if "_" in text:  # Python's own way to write a number
            raise ValueError(text)
        rating = float(text)
        is_on_scale = self.lowest <= rating <= self.highest
        if not is_on_scale or (self.whole and text != f"{rating:.0f}"):
            raise ValueError(text)
        return 1 + (rating - self.lowest) * 9 / (self.highest - self.lowest)

    def to_source(self, rating: float | None) -> str:
        """The inverse of `parse`: a rating of the catalog as the source writes it.

        Exact for four decimals on a scale of 1 to 10, five on one of 0 to 1, three on one of 0 to 100.
        """
        if rating is None:
            return self.implicit
        width = self.highest - self.lowest
        n_decimals = max(0, -math.ceil(math.log10(_FINEST * width)))
        nearest = round(self.lowest + (rating - 1) * width / 9, n_decimals) + 0.0  # no minus before a zero
        text = f"{nearest:.{n_decimals}f}"
        return text.rstrip("0").rstrip(".") if n_decimals else text

    @property
    def range(self) -> str:
        """As `from_text` reads it."""
        return f"{self.lowest:.10g}-{self.highest:.10g}"

    def __str__(self) -> str:
        """Which texts are ratings, in words."""
        kind = "whole number" if self.whole else "number"
        return f"a {kind} from {self.implicit or format(self.lowest, 'g')} to {self.highest:g}"


FIVE_STARS = Scale(highest=5.0, whole=True)
HALF_STARS = Scale(0.5, 5.0)
TEN_POINTS = Scale(implicit="0", whole=True)
"""1 to 10, and 0 for an item that was only used."""
