"""Who is measured and what is known of them: each protocol makes one split of the catalog.

warm      readers whom models have seen: a share of each one's books is held out
fold-in   readers whom no model has seen: their history is given when they are served
cold      the same readers, of whom no more is known than what they would tell of themselves
time      readers with a past: held out is all that was read in the last days
similar   the books that readers of a book read besides, among what is held out of `warm`
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pyarrow.compute as pc

from foundation.arrays import F64, Mask, find_rows, pack_pairs
from pipeline.draws import OUTER_SALT, READER_SALT, SHARE_SALT, draw, salt_of
from pipeline.errors import NoTimes, TooFewRatings
from pipeline.evaluation.users import EvaluationUsers, choose_users
from pipeline.records import Clean, Events, Export, Fold, Interactions, Split, build_fold, no_events
from pipeline.settings import SplitParams
from pipeline.steps.s3_split import divide, find_eligible, split

Protocol = Literal["warm", "fold-in", "cold", "similar", "time"]


@dataclass(frozen=True, eq=False)
class Trial:
    """What models are fitted to, and the readers that they are measured on."""

    folds: Split
    histories: Fold
    """What is known of the readers who are measured: the train fold, or what no model has seen."""

    def choose_users(self, at_most: int) -> EvaluationUsers:
        """Who is measured."""
        return choose_users(self.histories, self.folds.held_out, at_most=at_most)


def split_warm(cleaned: Clean, catalog: Export, *, params: SplitParams, seed: int) -> Trial:
    """The folds of a training; those of seed 0 are the same to the pair."""
    folds = split(cleaned, params=params, seed=seed)
    return Trial(folds, folds.train)


def split_readers(cleaned: Clean, catalog: Export, *, params: SplitParams, seed: int) -> Trial:
    """Hold out a share of the readers with enough books; a share of what each has read is to be found."""
    every, eligible = cleaned.interactions, find_eligible(cleaned.interactions, params)
    chance = draw(every.user_ids, np.zeros_like(every.user_ids), salt_of(READER_SALT, seed))
    is_theirs = np.isin(every.user_ids, every.user_ids[eligible & (chance < params.held_out_share)])
    place = draw(every.user_ids, every.book_ids, salt_of(OUTER_SALT, seed))
    is_held_out = is_theirs & eligible & (place < params.held_out_share)
    theirs = np.unique(every.user_ids[is_theirs])
    folds = divide(
        every.take(~is_theirs),
        every.take(is_held_out),
        _take_events(cleaned.events, ~np.isin(cleaned.events.user_ids, theirs)),
        eligible[~is_theirs],
        split_id=f"readers-{params.held_out_share:g}-of-{params.min_ratings}",
        params=params,
        seed=seed,
    )
    _check_enough(folds.held_out, params)
    return Trial(folds, build_fold(every.take(is_theirs & ~is_held_out), cleaned.events))


def split_by_time(cleaned: Clean, catalog: Export, *, params: SplitParams, seed: int) -> Trial:
    """Hold out what was read last, by one moment for all; nothing later than it is learned from.

    Events have no times in training, so that none are used. Raises NoTimes.
    """
    every = cleaned.interactions
    read_at = _find_times(every, catalog)
    has_time = ~np.isnan(read_at)
    if has_time.mean() < MIN_TIMED:
        raise NoTimes(float(has_time.mean()))
    moment = np.quantile(read_at[has_time], 1 - params.held_out_share)
    is_later = read_at > moment
    past = every.take(~is_later)
    is_shown = ~np.isin(every.book_ids, every.hidden_ids)
    held_out = every.take(is_later & is_shown & np.isin(every.user_ids, past.user_ids))
    folds = divide(
        past, held_out, no_events(), find_eligible(past, params),
        split_id=f"time-{params.held_out_share:g}", params=params, seed=seed,
    )  # fmt: skip
    _check_enough(held_out, params)
    return Trial(folds, folds.train)


MIN_TIMED: Final = 0.5
"""Share of the ratings that must have a time."""
SPLITS: Final[dict[Protocol, Callable[..., Trial]]] = {
    "warm": split_warm,
    "fold-in": split_readers,
    "cold": split_readers,
    "similar": split_warm,
    "time": split_by_time,
}


def thin_readers(folds: Split, *, share: float) -> Fold:
    """The train fold of a share of its readers: what a smaller library would have to learn from."""
    train = folds.train
    place = draw(train.user_ids, np.zeros_like(train.user_ids), SHARE_SALT)
    rows = np.flatnonzero(place < share)
    read, done = train.ratings[rows], train.events[rows]
    kept = Interactions(
        user_ids=np.repeat(train.user_ids[rows], np.diff(read.indptr)),
        book_ids=train.book_ids[read.indices],
        ratings=read.data,
        hidden_ids=train.book_ids[~train.is_shown],
    )
    user_ids = np.repeat(train.user_ids[rows], np.diff(done.indptr))
    return build_fold(kept, Events(user_ids, train.book_ids[done.indices], done.data))


def _find_times(interactions: Interactions, catalog: Export) -> F64:
    """(n,): seconds since 1970 UTC of each pair; NaN where unknown."""
    ratings = catalog.ratings
    pairs = pack_pairs(ratings["user_id"].to_numpy(), ratings["book_id"].to_numpy())
    order = np.argsort(pairs)
    _, rows = find_rows(pairs[order], pack_pairs(interactions.user_ids, interactions.book_ids))
    times = pc.fill_null(pc.cast(ratings["rated_at"], "float64"), np.nan).to_numpy()
    return np.asarray(times[order][rows])


def _take_events(events: Events, mask: Mask) -> Events:
    return Events(events.user_ids[mask], events.book_ids[mask], events.weights[mask])


def _check_enough(held_out: Interactions, params: SplitParams) -> None:
    n_users = np.unique(held_out.user_ids).size
    if n_users < params.min_users:
        raise TooFewRatings(found=n_users, needed=params.min_users, ratings_each=params.min_ratings)
