"""Brings the similarity server's indexes up to the books of now."""

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array

from foundation.arrays import F32, I64, find_rows
from pipeline.models.related import move_related, weigh_authors
from pipeline.models.subject_sets import collect_authors
from pipeline.models.vector_index import build_flat, pool_books, weigh_directions
from pipeline.records import Export
from pipeline.refreshing.changes import BookChanges
from pipeline.refreshing.graph import renew_graph
from pipeline.settings import IndexParams
from servers.als.model import AlsModel
from servers.embedder.model import EmbedderModel
from servers.similarity.model import SimilarityModel


def renew_similarity(
    former: SimilarityModel,
    changes: BookChanges,
    catalog: Export,
    embedder: EmbedderModel,
    als: AlsModel,
    counts: I64,
    estimated: I64,
    params: IndexParams,
) -> SimilarityModel:
    """Vectors of new books, and by subject of changed ones; all others as they were.

    counts (n,) are the readers of als.book_ids; `estimated` are rows of it with new factors.
    """
    by_subject = changes.find("subjects", "authors") if embedder.author_ids.size else changes.find("subjects")
    by_readers = np.flatnonzero(changes.is_new | np.isin(changes.book_ids, als.book_ids[estimated]))
    if not (changes.moves_rows or by_subject.size or by_readers.size):
        return former
    n_subject = former.dims["subject"]
    vectors = changes.take_old(former.vectors).astype(np.float32)
    vectors[by_subject, :n_subject] = pool_books(embedder, catalog, changes.book_ids[by_subject])
    # What was estimated counts as what one reader tells: too little to be near to what many have read.
    counts = counts.copy()
    counts[estimated] = 1
    vectors[by_readers, n_subject:] = _weigh(als, counts, changes.book_ids[by_readers])
    return replace(
        former,
        book_ids=changes.book_ids,
        subject_index=renew_graph(
            former.subject_index, changes.new_rows, by_subject, vectors[by_subject, :n_subject], params
        ),
        als_index=renew_graph(
            former.als_index, changes.new_rows, by_readers, vectors[by_readers, n_subject:], params
        ),
        hybrid_index=build_flat(vectors),
        related=_renew_related(former, changes, catalog, als),
    )


def _renew_related(
    former: SimilarityModel, changes: BookChanges, catalog: Export, als: AlsModel
) -> csr_array | None:
    """The weights in today's rows; a new book has those of its authors' others, until readers tell more."""
    if former.related is None or not changes.moves_rows:
        return former.related
    n, new = changes.book_ids.size, np.flatnonzero(changes.is_new)
    moved = move_related(former.related, changes.new_rows, n)
    if not new.size:
        return moved
    popularity = np.zeros(n, dtype=np.float32)
    is_known, rows = find_rows(als.book_ids, changes.book_ids)
    popularity[is_known] = als.evidence.popularity.popularity[rows]
    authors = collect_authors(catalog.book_authors, changes.book_ids)
    of_new = csr_array(authors[new] @ weigh_authors(authors, popularity)).tocoo()
    others = new[of_new.row] != of_new.col
    added = of_new.data[others], (new[of_new.row[others]], of_new.col[others])
    return csr_array(moved + csr_array(added, shape=(n, n)))


def _weigh(als: AlsModel, counts: I64, book_ids: I64) -> F32:
    """(n_books, n_factors): ALS vectors, zero for a book that the model does not know."""
    factors = als.evidence.als.item_factors
    is_known, rows = find_rows(als.book_ids, book_ids)
    vectors = np.zeros((book_ids.size, factors.shape[1]), dtype=np.float32)
    vectors[is_known] = weigh_directions(factors[rows], np.maximum(counts[rows], 1))
    return vectors
