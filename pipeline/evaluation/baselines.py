"""What others would serve: the systems that every version is compared with; none has an author limit."""

from collections.abc import Callable
from typing import Final
from warnings import catch_warnings, simplefilter

import numpy as np
from numpy.linalg import LinAlgError
from scipy.linalg.lapack import spotrf, spotri
from scipy.sparse import csr_array, csr_matrix

from evidence.als import AlsParams, build_gram, fold_in, train_factors
from evidence.popularity import measure_popularity
from foundation.arrays import F32, F64, I64, find_rows, top_k
from foundation.tools import Advance
from pipeline.evaluation.lists import serve_popular
from pipeline.evaluation.metrics import recall_at_k
from pipeline.evaluation.users import EvaluationUsers
from pipeline.models.bayesian_mean import build_bayesian_mean
from pipeline.records import Aggregates, Fold

CLASSIC_ALS: Final = AlsParams(n_factors=32, alpha=40.0, regularization=0.1, n_iterations=15)
CLASSIC_MIN_RATINGS: Final = 10
"""Readers with fewer are served by the prior alone."""
CLASSIC_PRIOR_RATINGS: Final = 30.0
BM25_NEIGHBOURS: Final = 100
MAX_EASE_BOOKS: Final = 12_000
"""Most read books that dense EASE ranks: the inverse of twice as many takes 2 GB and most of an hour."""
EASE_REGULARIZATIONS: Final = (60.0, 120.0, 200.0, 350.0, 600.0, 1000.0)
MAX_TUNED_BOOKS: Final = 4000
"""Most read books that λ is chosen on: time grows with the cube of them."""
COLUMNS_PER_BLOCK: Final = 1024

Score = Callable[[I64], F32 | F64]
"""Scores (n,) of all books, for whoever has read these rows."""


def serve_scores(fold: Fold, users: EvaluationUsers, k: int, score: Score) -> list[I64]:
    """Each reader's k best shown books that they have not read; the most read if none of theirs is known."""
    popularity = measure_popularity(np.bincount(fold.user_items.indices, minlength=fold.book_ids.size))
    served = []
    for history in users.histories:
        item_idx = find_rows(fold.book_ids, history)[1]
        scores = (score(item_idx) if item_idx.size else popularity).copy()
        scores[item_idx] = -np.inf
        scores[~fold.is_shown] = -np.inf
        served.append(fold.book_ids[top_k(scores, k)])
    return served


def serve_classic_als(fold: Fold, users: EvaluationUsers, k: int, *, seed: int, threads: int) -> list[I64]:
    """`implicit` ALS, factors 32, alpha 40, λ 0.1, 15 iterations, folded in: for readers seen or not."""
    item_factors = train_factors(
        fold.user_items, params=CLASSIC_ALS, seed=seed, threads=threads, advance=lambda share: None
    )[1]
    gram = build_gram(item_factors, CLASSIC_ALS.regularization)

    def score(item_idx: I64) -> F32:
        read = np.ones((1, item_idx.size), dtype=np.float32)
        return np.asarray(
            item_factors @ fold_in(item_factors, gram, item_idx, read, alpha=CLASSIC_ALS.alpha)[0]
        )

    return serve_scores(fold, users, k, score)


def serve_classic_system(
    fold: Fold, aggregates: Aggregates, classic_als: list[I64], users: EvaluationUsers, k: int
) -> list[I64]:
    """Classic ALS for readers with 10 ratings or more, a Bayesian prior (m = 30) for all others."""
    sums = np.nan_to_num(aggregates.mean) * aggregates.n_explicit
    prior = build_bayesian_mean(sums, aggregates.n_explicit, prior_ratings=CLASSIC_PRIOR_RATINGS)
    by_prior = serve_popular(fold.book_ids, np.where(fold.is_shown, prior, -np.inf), users, k)
    return [
        als if history.size >= CLASSIC_MIN_RATINGS else best
        for als, best, history in zip(classic_als, by_prior, users.histories, strict=True)
    ]


def serve_bm25(fold: Fold, users: EvaluationUsers, k: int, *, threads: int) -> list[I64]:
    """`implicit`'s item neighbours by BM25, as it comes, but a hundred of them."""
    from implicit.nearest_neighbours import BM25Recommender
    from implicit.utils import ParameterWarning

    model = BM25Recommender(K=BM25_NEIGHBOURS, num_threads=threads)
    with catch_warnings():
        simplefilter("ignore", ParameterWarning)  # it warns itself of what it makes on the way
        model.fit(csr_matrix(fold.user_items, dtype=np.float64), show_progress=False)
    weights = csr_array(model.similarity)
    return serve_scores(fold, users, k, lambda item_idx: np.asarray(weights[item_idx].sum(axis=0)).ravel())


def serve_ease(fold: Fold, users: EvaluationUsers, k: int, *, regularization: float) -> list[I64]:
    """Dense EASE (Steck 2019, equation 8)."""
    chosen = _find_most_read(fold, MAX_EASE_BOOKS)
    return serve_scores(fold, users, k, _fit_ease(fold.user_items, chosen, regularization))


def choose_ease(fold: Fold, users: EvaluationUsers, k: int, *, advance: Advance) -> float:
    """The λ with the best recall@k for users whose held-out books the fold does not have."""
    chosen, recalls = _find_most_read(fold, MAX_TUNED_BOOKS), {}
    for at, regularization in enumerate(EASE_REGULARIZATIONS):
        advance(at / len(EASE_REGULARIZATIONS))
        served = serve_scores(fold, users, k, _fit_ease(fold.user_items, chosen, regularization))
        recalls[regularization] = recall_at_k(served, users.held_out, k).mean()
    return max(recalls, key=lambda each: recalls[each])


def _find_most_read(fold: Fold, at_most: int) -> I64:
    """Rows, ascending."""
    counts = np.bincount(fold.user_items.indices, minlength=fold.book_ids.size)
    return np.sort(np.argsort(-counts, kind="stable")[:at_most])


def _fit_ease(user_items: csr_array, chosen: I64, regularization: float) -> Score:
    n_items, inverse = user_items.shape[1], invert_gram(user_items, chosen, regularization)
    diagonal, place = np.diag(inverse).copy(), np.full(n_items, -1)
    place[chosen] = np.arange(chosen.size)

    def score(item_idx: I64) -> F32:
        scores = np.zeros(n_items, dtype=np.float32)
        read = place[item_idx]
        # B[h, j] = -P[h, j] / P[j, j]; its zero diagonal is of books that are not served again.
        scores[chosen] = -inverse[:, read[read >= 0]].sum(axis=1) / diagonal
        return scores

    return score


def invert_gram(user_items: csr_array, chosen: I64, regularization: float) -> F32:
    """P = (XᵀX + λI)⁻¹ of the chosen columns, (n_chosen, n_chosen). Raises LinAlgError."""
    read = csr_array(user_items[:, chosen])
    by_book, n = csr_array(read.T), chosen.size
    gram = np.empty((n, n), dtype=np.float32, order="F")
    for block in _blocks(n):
        gram[:, block] = (by_book @ read[:, block]).toarray()
    gram[np.diag_indices(n)] += regularization
    factor, failed = spotrf(gram, lower=1, clean=0, overwrite_a=1)
    inverse, singular = spotri(factor, lower=1, overwrite_c=1)
    if failed or singular:
        raise LinAlgError("the Gram matrix is singular")
    # LAPACK leaves the upper triangle as it was.
    for block in _blocks(n):
        inverse[block, block.stop :] = inverse[block.stop :, block].T
        square = np.tril(inverse[block, block])
        inverse[block, block] = square + np.tril(square, -1).T
    return np.asarray(inverse)


def _blocks(n: int) -> list[slice]:
    return [slice(first, min(first + COLUMNS_PER_BLOCK, n)) for first in range(0, n, COLUMNS_PER_BLOCK)]
