"""What an operator may change about every list, in one place: what is tuned and judged is what is served."""

from pydantic import Field, PositiveInt

from foundation.author_limit import MOST_PER_AUTHOR
from foundation.settings import Options


class ServingRules(Options):
    """Read by serving, tuning, evaluation and gate alike."""

    author_limit: PositiveInt = MOST_PER_AUTHOR
    """Most books of one author in any ten consecutive ones of a list."""
    subjects_popularity_weight: float = Field(default=0.3, ge=0, le=1)
    """Share of popularity in lists by subjects, where the client names none."""
    rating_strength: float = Field(default=1.0, ge=0, le=2)
    """How far ratings move a list: with 0 not at all; above 0.5 a book rated 1 speaks against its like."""
