"""Whether what is learned from ratings knows its readers: what they held out is scored higher for them.

Each held-out book is scored by the learned evidence for its own reader and for others who have read about as
much and do not have it. To a model that was trained on shuffled labels all of them are alike, so that the
mean difference over its standard error is about N(0, 1), however sparse the data; an honest one stands tens
of standard errors above 0. `tests/bench/learned_evidence.py` prints both, beside other statistics.
"""

from typing import Final

import numpy as np

from evidence.kind import read_history
from foundation.arrays import F32, F64, find_rows
from pipeline.draws import USER_SALT, draw
from pipeline.evaluation.users import EvaluationUsers
from servers.als.model import AlsModel

PLACES: Final = (-2, -1, 1, 2)
"""Where others stand among readers in order of their histories' lengths: as many have read less as more."""


def measure_own_gains(model: AlsModel, users: EvaluationUsers) -> F64:
    """(at most n_users,): mean learned score of each reader's held-out books for them, less that for others.

    Readers without a book to compare are left out.
    """
    differences = list_differences(model, users)
    return np.array([each.mean() for each in differences if each.size], dtype=np.float64)


def list_differences(model: AlsModel, users: EvaluationUsers) -> list[F32]:
    """For each reader the differences of their held-out books' scores for them and for each of the others.

    Scores are those of the learned kinds, as they are blended.
    """
    held_out = [find_rows(model.book_ids, books)[1] for books in users.held_out]
    by_length = _order_by_length(users)
    scored: list[list[F32]] = [[] for _ in range(users.size)]
    own: list[F32] = [np.empty(0, dtype=np.float32)] * users.size
    for place, user in enumerate(by_length):
        scores = _score_learned(model, users, user)
        own[user] = scores[held_out[user]]
        for step in PLACES:
            other = by_length[(place + step) % users.size]
            scored[other].append(scores[held_out[other]])
    differences = [(mine - np.stack(others)) for mine, others in zip(own, scored, strict=True)]
    return [each[~np.isnan(each)] for each in differences]


def standardise(differences: F64) -> float:
    """The mean over its standard error: about N(0, 1) where the sign of each difference is chance."""
    if differences.size < 2:
        return 0.0
    error = differences.std(ddof=1) / np.sqrt(differences.size)
    return float(differences.mean() / max(error, np.finfo(np.float64).eps))


def _order_by_length(users: EvaluationUsers) -> list[int]:
    # Ties by a hash: readers with neighbouring ids may have come together.
    chance = draw(users.user_ids, np.zeros_like(users.user_ids), USER_SALT)
    lengths = np.array([history.size for history in users.histories])
    return [int(user) for user in np.lexsort((chance, lengths))]


def _score_learned(model: AlsModel, users: EvaluationUsers, user: int) -> F32:
    """(n,): the learned share of a reader's scores; NaN for books of the history, which are not ranked."""
    blend, kinds = model.params["blend"], model.evidence.kinds
    weights = [blend.get(name, 0.0) if kind.learned else 0.0 for name, kind in kinds.items()]
    history = read_history(
        model.book_ids, users.histories[user], users.ratings[user], events=users.events_of(user)
    )
    scores = np.array(weights, dtype=np.float32) @ model.score_kinds(history)
    scores[history.item_idx] = np.nan
    return np.asarray(scores)
