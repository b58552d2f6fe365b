"""How well books are found that are like one: what its readers read besides, and what resembles it.

Each reader who held out two books or more is one look-up: of one of these books, to find the others.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, get_args

import numpy as np
from scipy.sparse import csr_array

from contracts.similarity import SimilarMode, SimilarRequest
from evidence.kind import read_history
from foundation.arrays import F64, I64, find_rows, top_k
from foundation.author_limit import READ_AHEAD, limit_authors
from pipeline.comparing.bench import Bench
from pipeline.draws import USER_SALT, draw
from pipeline.evaluation.users import EvaluationUsers
from pipeline.models.subject_sets import collect_authors, collect_subject_sets
from servers.errors import BookUnknown, VectorMissing

LOOK: Final = 10
"""Places of a list that what books have in common is measured on."""
DEFAULT_WEIGHT: Final = float(SimilarRequest.model_fields["weight"].default)


def choose_look_ups(users: EvaluationUsers) -> EvaluationUsers:
    """Of each reader with two held-out books or more one as the history, and the others to be found."""
    rows = [row for row, books in enumerate(users.held_out) if books.size > 1]
    asked = [_draw_one(int(users.user_ids[row]), users.held_out[row]) for row in rows]
    others = [users.held_out[row] != book_id for row, book_id in zip(rows, asked, strict=True)]
    return EvaluationUsers(
        user_ids=users.user_ids[rows],
        histories=[np.array([book_id]) for book_id in asked],
        ratings=[np.full(1, np.nan, dtype=np.float32) for _ in rows],
        held_out=[users.held_out[row][mask] for row, mask in zip(rows, others, strict=True)],
        held_out_ratings=[users.held_out_ratings[row][mask] for row, mask in zip(rows, others, strict=True)],
    )


def list_modes() -> dict[str, Callable[[Bench], list[I64]]]:
    """Every mode that is served, and the weights between books that lists for readers are blended from."""
    weights = {f"{kind} weights": partial(_serve_weights, kind=kind) for kind in ("neighbours", "ease")}
    return {**weights, **{mode: partial(_serve_mode, mode=mode) for mode in get_args(SimilarMode)}}


def measure_likeness(bench: Bench, lists: Sequence[I64]) -> dict[str, F64]:
    """(n_users,) each: shares of the first LOOK books with an author or a subject of the one looked up.

    NaN where that one has none. And whether there was any answer.
    """
    book_ids = bench.catalog.books["book_id"].to_numpy()
    sets = collect_subject_sets(bench.catalog.book_subjects, bench.catalog.subjects, book_ids)
    telling = csr_array(sets.matrix[:, np.flatnonzero(~sets.is_generic)])
    authors = collect_authors(bench.catalog.book_authors, book_ids)
    return {
        f"same author@{LOOK}": _share_alike(bench.users, lists, book_ids, authors),
        f"shared subject@{LOOK}": _share_alike(bench.users, lists, book_ids, telling),
        "answered": np.array([float(books.size > 0) for books in lists]),
    }


def _draw_one(user_id: int, book_ids: I64) -> int:
    places = draw(np.full(book_ids.size, user_id), book_ids, USER_SALT)
    return int(book_ids[np.argmin(places)])


def _serve_mode(bench: Bench, mode: SimilarMode) -> list[I64]:
    return _limit_authors(bench, _rank_by_mode(bench, mode))


def _rank_by_mode(bench: Bench, mode: SimilarMode) -> Iterator[I64]:
    model = bench.index.similarity
    for (book_id,) in bench.users.histories:
        try:
            yield model.similar(int(book_id), mode=mode, weight=DEFAULT_WEIGHT, k=READ_AHEAD * bench.k)[0]
        except (BookUnknown, VectorMissing):
            yield np.empty(0, dtype=np.int64)


def _serve_weights(bench: Bench, kind: str) -> list[I64]:
    return _limit_authors(bench, _rank_by_weights(bench, kind))


def _rank_by_weights(bench: Bench, kind: str) -> Iterator[I64]:
    fold, evidence = bench.fold, bench.evidence.kinds[kind]
    for asked, ratings in zip(bench.users.histories, bench.users.ratings, strict=True):
        history = read_history(fold.book_ids, asked, ratings)
        scores = np.asarray(evidence.score(history).scores, dtype=np.float64)
        scores[(scores <= 0) | ~fold.is_shown] = -np.inf
        scores[history.item_idx] = -np.inf
        yield fold.book_ids[top_k(scores, READ_AHEAD * bench.k)]


def _limit_authors(bench: Bench, ranked: Iterator[I64]) -> list[I64]:
    """As the gateway does."""
    book_ids = bench.catalog.books["book_id"].to_numpy()
    matrix = collect_authors(bench.catalog.book_authors, book_ids)
    authors = [tuple(columns.tolist()) for columns in np.split(matrix.indices, matrix.indptr[1:-1])]
    served = []
    for books in ranked:
        in_order = (authors[row] for row in find_rows(book_ids, books)[1])
        served.append(books[limit_authors(in_order, bench.k, most=bench.rules.author_limit)])
    return served


def _share_alike(users: EvaluationUsers, lists: Sequence[I64], book_ids: I64, marks: csr_array) -> F64:
    """(n_users,): of the first LOOK books those with a mark of the book looked up; marks are (n, n_marks)."""
    shares = np.full(users.size, np.nan)
    for at, (asked, books) in enumerate(zip(users.histories, lists, strict=True)):
        own = marks[find_rows(book_ids, asked)[1]].sum(axis=0) > 0
        if own.any():
            found = find_rows(book_ids, books[:LOOK])[1]
            shares[at] = (marks[found] @ own > 0).sum() / LOOK
    return shares
