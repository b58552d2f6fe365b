"""The lists of readers of whom no more is known than what they would tell of themselves."""

from contextlib import suppress

import numpy as np
from scipy.sparse import csr_array

from foundation.arrays import I64, find_rows, top_k
from foundation.author_limit import READ_AHEAD
from foundation.serving_rules import ServingRules
from pipeline.evaluation.lists import (
    UNTOLD,
    SubjectsOf,
    diversify_rows,
    limit_rows,
    list_authors,
)
from pipeline.evaluation.users import EvaluationUsers
from pipeline.models.fold_models import FoldModels
from pipeline.models.profiles import describe_readers
from pipeline.records import Export
from servers.als.newcomers import Told
from servers.errors import NoKnownFavourites, NoKnownSubjects


def tell_favourites(catalog: Export, book_ids: I64, users: EvaluationUsers) -> list[Told]:
    """What each reader would tell: the subjects and authors read most, and what the catalog has of them."""
    found = [find_rows(book_ids, history)[1] for history in users.histories]
    rows = np.repeat(np.arange(users.size), [history.size for history in found])
    ones = np.ones(rows.size, dtype=np.float32)
    user_items = csr_array((ones, (rows, np.concatenate(found))), shape=(users.size, book_ids.size))
    profiles = describe_readers(users.user_ids, user_items, book_ids, catalog)
    return [profiles.told_by(user) for user in range(users.size)]


def serve_cold(
    models: FoldModels,
    told: list[Told],
    users: EvaluationUsers,
    k: int,
    rules: ServingRules,
    subjects: SubjectsOf = UNTOLD,
) -> list[I64]:
    """Each reader's k books, were nothing known but what they tell; by popularity where that tells nothing.

    What they read is hidden, and fills no place.
    """
    model = models.als
    authors = list_authors(model)
    served = []
    for each, history in zip(told, users.histories, strict=True):
        ranked = _rank(models, each, history, READ_AHEAD * k, rules)
        ranked = diversify_rows(ranked, model.book_ids, authors, subjects, k, rules)
        served.append(model.book_ids[limit_rows(ranked, authors, k, rules)])
    return served


def _rank(models: FoldModels, told: Told, history: I64, n: int, rules: ServingRules) -> I64:
    """Rows of the model, best first: each way is the fallback of the one before, as in the gateway."""
    model = models.als
    with suppress(NoKnownFavourites):
        share = rules.subjects_popularity_weight
        ranked, _ = model.rank_new(told, k=n, exclude=history, popularity_weight=share)
        return find_rows(model.book_ids, ranked)[1]
    scores = model.evidence.popularity.popularity.copy()
    with suppress(NoKnownSubjects):
        share = rules.popularity_beside_nearness
        nearness = models.book_vectors @ models.embedder.embed(told.subjects)[0]
        scores = share * scores + (1 - share) * nearness
    scores[find_rows(model.book_ids, history)[1]] = -np.inf
    scores[model.hidden] = -np.inf
    return top_k(scores, n)
