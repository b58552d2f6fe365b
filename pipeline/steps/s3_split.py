"""Step 3: freezes which interactions are held out, by a hash of each pair, before anything is computed."""

import numpy as np

from foundation.arrays import Mask
from pipeline.draws import INNER_SALT, OUTER_SALT, draw, salt_of
from pipeline.errors import TooFewRatings
from pipeline.records import Clean, Events, Interactions, Split, build_fold
from pipeline.settings import SplitParams


def split(cleaned: Clean, *, params: SplitParams, seed: int = 0) -> Split:
    """Hold out a share of the interactions of each reader with enough of them; then again, within the rest.

    Hidden books are neither held out nor counted, as nobody can be shown them: what is measured is the same
    with and without them. Events are never held out, and are in all folds: a pair that was rated has none
    that counts, so none tells of what is held out. Another seed holds out others. Raises TooFewRatings if too
    few readers have enough.
    """
    interactions = cleaned.interactions
    eligible = find_eligible(interactions, params)
    place = draw(interactions.user_ids, interactions.book_ids, salt_of(OUTER_SALT, seed))
    is_held_out = eligible & (place < params.held_out_share)
    return divide(
        interactions.take(~is_held_out),
        interactions.take(is_held_out),
        cleaned.events,
        eligible[~is_held_out],
        split_id=f"pairs-{params.held_out_share:g}-of-{params.min_ratings}",
        params=params,
        seed=seed,
    )


def divide(
    rest: Interactions,
    held_out: Interactions,
    events: Events,
    eligible: Mask,
    *,
    split_id: str,
    params: SplitParams,
    seed: int = 0,
) -> Split:
    """The folds of what is held out and what is not; of the rest, the eligible may be held out once more."""
    inner = eligible & (draw(rest.user_ids, rest.book_ids, salt_of(INNER_SALT, seed)) < params.inner_share)
    return Split(
        split_id=split_id,
        train=build_fold(rest, events),
        held_out=held_out,
        inner=build_fold(rest.take(~inner), events),
        inner_held_out=rest.take(inner),
    )


def find_eligible(interactions: Interactions, params: SplitParams) -> Mask:
    """Pairs of a shown book and of a reader with enough of such. Raises TooFewRatings."""
    is_shown = ~np.isin(interactions.book_ids, interactions.hidden_ids)
    user_ids, user_idx = np.unique(interactions.user_ids, return_inverse=True)
    n_ratings = np.bincount(user_idx, is_shown, minlength=user_ids.size)
    n_eligible = int((n_ratings >= params.min_ratings).sum())
    if n_eligible < params.min_users:
        raise TooFewRatings(found=n_eligible, needed=params.min_users, ratings_each=params.min_ratings)
    return np.asarray(is_shown & (n_ratings >= params.min_ratings)[user_idx])
