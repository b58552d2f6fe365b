"""How good lists of similar books are: what else a book's readers read, and what books have in common."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from foundation.arrays import F64, I64, find_rows
from pipeline.evaluation.users import EvaluationUsers
from pipeline.models.subject_sets import collect_authors, collect_subject_sets
from pipeline.records import Export

Similar = Callable[[int, int, Collection[int]], I64]
"""Of a book the k most similar ones, best first, without the excluded: book_id, k, exclude → book_ids."""


@dataclass(frozen=True, eq=False)
class SimilarFigures:
    """One value for each reader or book asked, the same ones whoever answers; NaN where there is none."""

    co_reading: F64
    """(n_users,): recall@k of what a reader held out, by one of the books that they read."""
    same_author: F64
    """(n_books,): share of the first k by an author of the book."""
    same_subject: F64
    """(n_books,): share of the first k with a subject of the book that is not generic."""
    coverage: float
    """Share of the catalog's books that are similar to at least one that was asked for."""
    answered: float
    """Share of the books asked for that have k similar ones."""


def measure_similar(
    similar: Similar, users: EvaluationUsers, catalog: Export, *, k: int, n_books: int, seed: int
) -> SimilarFigures:
    """Ask for one book of each reader, and for n_books of the catalog; the seed draws which."""
    rng = np.random.default_rng(seed)
    asked = [int(rng.choice(history)) for history in users.histories]
    co_reading = np.array(
        [
            np.isin(similar(book_id, k, history.tolist()), held_out).sum() / min(k, held_out.size)
            for book_id, history, held_out in zip(asked, users.histories, users.held_out, strict=True)
        ]
    )
    catalog = catalog.shown
    book_ids = catalog.books["book_id"].to_numpy()
    sample = np.sort(rng.choice(book_ids, min(n_books, book_ids.size), replace=False))
    found = [similar(book_id, k, ()) for book_id in sample.tolist()]
    subjects = collect_subject_sets(catalog.book_subjects, catalog.subjects, book_ids)
    telling = csr_array(subjects.matrix[:, ~subjects.is_generic])
    return SimilarFigures(
        co_reading=co_reading,
        same_author=_share_in_common(
            collect_authors(catalog.book_authors, book_ids), book_ids, sample, found
        ),
        same_subject=_share_in_common(telling, book_ids, sample, found),
        coverage=np.unique(np.concatenate(found)).size / book_ids.size,
        answered=float(np.mean([books.size == k for books in found])),
    )


def _share_in_common(traits: csr_array, book_ids: I64, asked: I64, found: list[I64]) -> F64:
    """Of each book's list the share that has a trait of the book; NaN for a book that has none."""
    shares = np.full(asked.size, np.nan)
    for at, (row, books) in enumerate(zip(find_rows(book_ids, asked)[1], found, strict=True)):
        own = traits.indices[traits.indptr[row] : traits.indptr[row + 1]]
        if own.size:
            of_others = traits[find_rows(book_ids, books)[1]][:, own]
            shares[at] = (of_others.sum(axis=1) > 0).mean() if books.size else 0.0
    return shares
