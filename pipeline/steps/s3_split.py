"""Step 3: freezes which interactions are held out, by a hash of each pair, before anything is computed."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from foundation.arrays import U64, Mask
from pipeline.errors import TooFewRatings
from pipeline.interactions import Fold, Interactions, build_fold
from pipeline.settings import SplitParams
from pipeline.steps.s2_clean import Clean

OUTER_SALT: Final = 1
INNER_SALT: Final = 2
READER_SALT: Final = 3


@dataclass(frozen=True, eq=False)
class Split:
    """The folds. What is held out of `train` is never in `inner` either."""

    split_id: str
    """Names the rule: under one id a pair keeps its place, whatever else the catalog holds."""
    train: Fold
    held_out: Interactions
    inner: Fold
    """Train without `inner_held_out`: what the ranker is tuned on."""
    inner_held_out: Interactions


def split(cleaned: Clean, *, params: SplitParams) -> Split:
    """Hold out a share of the interactions of each reader with enough of them; then again, within the rest.

    Raises TooFewRatings if too few readers have enough.
    """
    interactions = cleaned.interactions
    eligible = _has_enough(interactions.user_ids, params)
    outer = eligible & (
        draw(interactions.user_ids, interactions.book_ids, OUTER_SALT) < params.held_out_share
    )
    rest = interactions.take(~outer)
    inner = eligible[~outer] & (draw(rest.user_ids, rest.book_ids, INNER_SALT) < params.inner_share)
    return Split(
        split_id=f"pairs-{params.held_out_share:g}-of-{params.min_ratings}",
        train=build_fold(rest),
        held_out=interactions.take(outer),
        inner=build_fold(rest.take(~inner)),
        inner_held_out=rest.take(inner),
    )


def draw(user_ids: NDArray[np.int64], book_ids: NDArray[np.int64], salt: int) -> NDArray[np.float64]:
    """A number in [0, 1) that depends on the pair and the salt alone (SplitMix64, Steele 2014)."""
    state = _mix(np.full(user_ids.size, salt, dtype=np.uint64))
    state = _mix(_mix(state ^ user_ids.astype(np.uint64)) ^ book_ids.astype(np.uint64))
    return (state >> np.uint64(11)).astype(np.float64) / 2**53


def _has_enough(user_ids: NDArray[np.int64], params: SplitParams) -> Mask:
    _, user_idx, n_ratings = np.unique(user_ids, return_inverse=True, return_counts=True)
    n_eligible = int((n_ratings >= params.min_ratings).sum())
    if n_eligible < params.min_users:
        raise TooFewRatings(found=n_eligible, needed=params.min_users, ratings_each=params.min_ratings)
    return np.asarray((n_ratings >= params.min_ratings)[user_idx])


def _mix(state: U64) -> U64:
    # Unsigned arithmetic modulo 2^64 is the definition; NumPy wraps arrays silently.
    state = state + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
