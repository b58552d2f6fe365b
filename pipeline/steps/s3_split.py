"""Step 3: freezes which interactions are held out, by a hash of each pair, before anything is computed."""

import numpy as np

from foundation.arrays import I64, Mask
from pipeline.draws import INNER_SALT, OUTER_SALT, draw
from pipeline.errors import TooFewRatings
from pipeline.records import Clean, Split, build_fold
from pipeline.settings import SplitParams


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


def _has_enough(user_ids: I64, params: SplitParams) -> Mask:
    _, user_idx, n_ratings = np.unique(user_ids, return_inverse=True, return_counts=True)
    n_eligible = int((n_ratings >= params.min_ratings).sum())
    if n_eligible < params.min_users:
        raise TooFewRatings(found=n_eligible, needed=params.min_users, ratings_each=params.min_ratings)
    return np.asarray((n_ratings >= params.min_ratings)[user_idx])
