"""How fast a version ranks, beside another one in the same run, so that a slow machine slows both."""

import time
from contextlib import suppress
from typing import Final

import numpy as np

from foundation.author_limit import READ_AHEAD
from foundation.serving_rules import ServingRules
from pipeline.evaluation.users import EvaluationUsers
from servers.als.model import AlsModel
from servers.errors import NoKnownBooks

N_TIMED: Final = 100
"""Readers whose ranking is timed, spread over all."""
N_TRIES: Final = 5
"""Of each reader and version; the quickest counts, which nothing else on the machine disturbed."""
OVERHEAD_MS: Final = 2.0
"""What a request costs besides ranking: that much counts for both, since nobody feels less."""


def measure_speed(
    candidate: AlsModel, rival: AlsModel, users: EvaluationUsers, k: int, rules: ServingRules
) -> tuple[float, float]:
    """Median milliseconds of CPU time that each takes to rank for a reader; both take turns."""
    timed = np.linspace(0, users.size - 1, min(N_TIMED, users.size)).astype(int).tolist()
    spent = np.full((2, len(timed), N_TRIES), np.inf)
    for at, user in enumerate(timed):
        for trial in range(N_TRIES):
            for which, model in enumerate((candidate, rival)):
                spent[which, at, trial] = _time(model, users, user, k, rules)
    ours, theirs = np.median(spent.min(axis=2), axis=1)
    return float(ours), float(theirs)


def compare_speed(ours_ms: float, theirs_ms: float) -> float:
    """How fast the candidate answers, as a share of the rival's speed."""
    return (theirs_ms + OVERHEAD_MS) / (ours_ms + OVERHEAD_MS)


def _time(model: AlsModel, users: EvaluationUsers, user: int, k: int, rules: ServingRules) -> float:
    # CPU time of all threads: while others use the machine, this process waits, and that is not counted.
    started = time.process_time()
    with suppress(NoKnownBooks):
        model.rank(
            users.histories[user], users.ratings[user], k=READ_AHEAD * k,
            rating_strength=rules.rating_strength, events=users.events_of(user),
        )  # fmt: skip
    return 1000 * (time.process_time() - started)
