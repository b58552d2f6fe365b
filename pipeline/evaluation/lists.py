"""The lists that readers would be served, made by the code that serves them."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from foundation.arrays import F32, F64, I64, find_rows, top_k
from foundation.author_limit import READ_AHEAD, Authors, limit_authors
from foundation.diversity import diversify, pool_size, read_traits
from foundation.serving_rules import ServingRules
from pipeline.evaluation.users import EvaluationUsers
from pipeline.records import Export
from servers.als.model import AlsModel
from servers.errors import NoKnownBooks

SubjectsOf = Mapping[int, frozenset[int]]
"""Subjects of books by book_id, as far as a list has to differ in them."""
UNTOLD: Final[SubjectsOf] = {}


def list_authors(model: AlsModel) -> list[Authors]:
    """The authors of each book of a model, as column numbers."""
    matrix = model.evidence.authors.book_authors
    ends = matrix.indptr[1:-1]
    return [tuple(columns.tolist()) for columns in np.split(matrix.indices, ends)]


def list_subjects(catalog: Export, rules: ServingRules) -> SubjectsOf:
    """The subjects of all books; none where lists need not differ in them."""
    if not rules.diversity:
        return UNTOLD
    ids = (catalog.book_subjects[name].to_pylist() for name in ("book_id", "subject_id"))
    found: dict[int, set[int]] = {}
    for book_id, subject_id in zip(*ids, strict=True):
        found.setdefault(book_id, set()).add(subject_id)
    return {book_id: frozenset(subjects) for book_id, subjects in found.items()}


def serve_collaborative(
    model: AlsModel, users: EvaluationUsers, k: int, rules: ServingRules, subjects: SubjectsOf = UNTOLD
) -> list[I64]:
    """Each reader's k books, ranked from their history; by popularity if the model knows none of it."""
    authors = list_authors(model)
    popularity = read_popularity(model)
    popular = top_k(popularity, popularity.size)
    served = []
    for at, (history, ratings) in enumerate(zip(users.histories, users.ratings, strict=True)):
        try:
            ranked, _ = model.rank(
                history, ratings, k=READ_AHEAD * k, rating_strength=rules.rating_strength,
                events=users.events_of(at),
            )  # fmt: skip
            rows = find_rows(model.book_ids, ranked)[1]
        except NoKnownBooks:
            rows = popular[: READ_AHEAD * k]
        rows = diversify_rows(rows, model.book_ids, authors, subjects, k, rules)
        served.append(model.book_ids[limit_rows(rows, authors, k, rules)])
    return served


def rank_all(model: AlsModel, users: EvaluationUsers, rules: ServingRules) -> Iterator[I64]:
    """For each reader all shown books that they have not read, best first, without an author limit.

    One reader at a time, since all would not fit. Raises NoKnownBooks where no book of a history is known.
    """
    for at, (history, ratings) in enumerate(zip(users.histories, users.ratings, strict=True)):
        yield model.rank(
            history, ratings, k=model.book_ids.size, rating_strength=rules.rating_strength,
            events=users.events_of(at),
        )[0]  # fmt: skip


def read_popularity(model: AlsModel) -> F32:
    """(n,): popularity of each book, -inf of hidden ones."""
    popularity = model.evidence.popularity.popularity.copy()
    popularity[model.hidden] = -np.inf
    return popularity


def serve_popular(book_ids: I64, popularity: F32 | F64, users: EvaluationUsers, k: int) -> list[I64]:
    """Each reader's k most popular books that they have not read: the baseline, without an author limit.

    Never one whose popularity is -inf.
    """
    order = top_k(popularity, popularity.size)
    served = []
    for history in users.histories:
        head = book_ids[order[: k + history.size]]
        served.append(head[~np.isin(head, history)][:k])
    return served


def diversify_rows(
    rows: I64, book_ids: I64, authors: list[Authors], subjects: SubjectsOf, k: int, rules: ServingRules
) -> I64:
    """These ranked rows, the first ones reordered as the gateway does where lists have to be diverse."""
    if not rules.diversity:
        return rows
    head, rest = np.split(rows, [pool_size(k)])
    pool = [read_traits(authors[row], subjects.get(int(book_ids[row]), frozenset())) for row in head]
    return np.concatenate([head[diversify(pool, strength=rules.diversity)], rest])


def limit_rows(rows: I64, authors: list[Authors], k: int, rules: ServingRules) -> I64:
    """k of these rows, best first, as the author limit lets them through."""
    return rows[limit_authors((authors[row] for row in rows), k, most=rules.author_limit)]
