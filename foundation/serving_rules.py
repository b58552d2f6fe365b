"""What an operator may change about every list, in one place: what is tuned and judged is what is served."""

from typing import Annotated

from pydantic import Field, PositiveInt

from foundation.author_limit import MOST_PER_AUTHOR
from foundation.settings import Options

Weight = Annotated[float, Field(ge=0, le=1)]


class EventWeights(Options):
    """How much what a reader does besides rating counts as evidence; a book read counts 1, 0 is none.

    A dismissal never speaks for a book, and what was only shown to a reader is nothing that they did.
    """

    view: Weight = 0.1
    click: Weight = 0.2
    to_read: Weight = 0.2
    like: Weight = 0.5

    def of(self, kind: str) -> float:
        """What one event counts; of several of one book the strongest does."""
        return float(getattr(self, kind)) if kind in type(self).model_fields else 0.0


class ServingRules(Options):
    """Read by serving, tuning, evaluation and gate alike."""

    author_limit: PositiveInt = MOST_PER_AUTHOR
    """Most books of one author in any ten consecutive ones of a list."""
    diversity: float = Field(default=0.0, ge=0, lt=1)
    """How far books give way to others that are less like those before them; 0 is the ranking as it is."""
    subjects_popularity_weight: Weight | None = None
    """Share of popularity in lists by favourites, where the client names none; None is as tuned."""
    rating_strength: float = Field(default=0.6, ge=0, le=2)
    """How far ratings move a list: with 0 not at all; above 0.5 a book rated 1 speaks against its like."""
    events: EventWeights = EventWeights()

    @property
    def popularity_beside_nearness(self) -> float:
        """The same beside the nearness of subjects, which is the fallback and not tuned."""
        return 0.3 if self.subjects_popularity_weight is None else self.subjects_popularity_weight
