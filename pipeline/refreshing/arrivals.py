"""Gives ALS models rows for new books, which are in no rating that the models were trained on."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from evidence.authors import Authors
from evidence.figures import Figures
from evidence.languages import Languages
from foundation.arrays import F32, I64, find_rows, place_rows
from foundation.sparse import gather_rows
from pipeline.models.figures import YEAR, collect_years
from pipeline.models.languages import collect_languages
from pipeline.models.subject_sets import collect_authors, list_author_ids
from pipeline.models.vector_index import pool_subjects
from pipeline.records import Export
from servers.als.model import AlsModel
from servers.als.new_books import NewBooks
from servers.embedder.model import EmbedderModel
from servers.similarity.model import SimilarityModel

NEW_FOR_S: Final = 30 * 86_400
"""A book is new for so long after the first version that has it."""
FEW_READERS: Final = 10
"""A book with so many speaks for itself, once a training has heard them."""
MOST_NEW: Final = 10_000
"""New books at most, the latest: each costs every list a little."""
N_NEAREST: Final = 10
"""Books of the nearest subjects that a new book's factors are drawn from, beside those of its authors."""
SHRINKAGE: Final = 5
"""Books without any taste that are counted among them."""


@dataclass(frozen=True, eq=False)
class Arrivals:
    """New books, ids ascending."""

    book_ids: I64
    arrived_at_s: I64


NO_ARRIVALS: Final = Arrivals(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))


def find_arrivals(
    former: AlsModel, former_ids: I64, trained: AlsModel, shown_ids: I64, counts: I64, *, now_s: int
) -> Arrivals:
    """Of the books shown now those that the former version did not have, or had as new ones.

    former_ids are the books that it showed, counts (n,) the readers of shown_ids; both ascending. `trained`
    is what today's models come from. A book of the first version of all is never new.
    """
    arrived_at_s = np.where(np.isin(shown_ids, former_ids), 0, now_s)
    if former.new_books is not None:
        is_shown, rows = find_rows(shown_ids, former.book_ids[former.new_books.item_idx])
        arrived_at_s[rows] = former.new_books.arrived_at_s[is_shown]
    speaks = (counts >= FEW_READERS) & np.isin(shown_ids, trained.book_ids[find_trained(trained)])
    is_new = (arrived_at_s > now_s - NEW_FOR_S) & ~speaks
    rows = np.flatnonzero(is_new)
    latest = np.sort(rows[np.lexsort((-rows, -arrived_at_s[rows]))[:MOST_NEW]])
    return Arrivals(shown_ids[latest], arrived_at_s[latest])


def find_trained(als: AlsModel) -> I64:
    """Rows of the books whose readers the model was trained on; the others were given theirs by a refresh."""
    return np.flatnonzero(als.evidence.popularity.popularity > 0)


def add_arrivals(als: AlsModel, arrivals: Arrivals) -> AlsModel:
    """The model with a row for each new book, empty for one that it did not have."""
    book_ids = np.union1d(als.book_ids, arrivals.book_ids)
    _, rows = find_rows(book_ids, als.book_ids)
    if book_ids.size > als.book_ids.size:
        als = replace(
            als,
            book_ids=book_ids,
            evidence=als.evidence.spread(rows, book_ids.size),
            shown=place_rows(als.is_shown, rows, book_ids.size) | np.isin(book_ids, arrivals.book_ids),
        )
    new = NewBooks(find_rows(book_ids, arrivals.book_ids)[1], arrivals.arrived_at_s)
    return replace(als, new_books=new if arrivals.book_ids.size else None)


def tell_of_books(
    als: AlsModel,
    catalog: Export,
    counts: I64,
    embedder: EmbedderModel,
    similarity: SimilarityModel,
    estimated: I64,
) -> AlsModel:
    """The model with today's authors, languages and years, and factors for `estimated` rows, read by nobody.

    counts (n,) are the readers of the model's books.
    """
    counts = counts.copy()
    if als.new_books is not None:
        # As if one had read it: its author speaks for it, if little.
        counts[als.new_books.item_idx] = np.maximum(counts[als.new_books.item_idx], 1)
    wrote = collect_authors(catalog.book_authors, als.book_ids)
    authors = Authors.weigh(wrote, counts, list_author_ids(catalog.book_authors, als.book_ids))
    languages, figures = _tell_languages(als, catalog), _tell_years(als, catalog)
    evidence = replace(als.evidence, authors=authors, languages=languages, figures=figures)
    if estimated.size:
        vectors = pool_subjects(embedder, catalog, als.book_ids[estimated])
        factors = als.evidence.als.item_factors.copy()
        factors[estimated] = 0
        factors[estimated] = _estimate(factors, authors, als.book_ids, similarity, estimated, vectors)
        evidence = replace(evidence, als=replace(als.evidence.als, item_factors=factors))
    return replace(als, evidence=evidence)


def _tell_languages(als: AlsModel, catalog: Export) -> Languages | None:
    """As the catalog has them today, of books that it does not show as before."""
    former = als.evidence.languages
    if former is None:
        return None
    is_shown = np.isin(als.book_ids, catalog.books["book_id"].to_numpy())
    today = collect_languages(catalog, als.book_ids)
    return Languages(np.where(is_shown, today, former.languages))


def _tell_years(als: AlsModel, catalog: Export) -> Figures | None:
    """Figures with the years that the catalog has today, where it has one."""
    former = als.evidence.figures
    return former and former.tell(YEAR, collect_years(catalog, als.book_ids))


def _estimate(
    factors: F32, authors: Authors, book_ids: I64, similarity: SimilarityModel, rows: I64, vectors: F32
) -> F32:
    """(n_rows, n_factors): shrunken means over the authors' books and those of the nearest subjects."""
    wrote, author_books = authors.book_authors, authors.book_authors.T.tocsr()
    is_read = np.asarray(factors.any(axis=1))
    estimates = np.zeros((rows.size, factors.shape[1]), dtype=np.float32)
    for at, (row, vector) in enumerate(zip(rows, vectors, strict=True)):
        by_author = gather_rows(author_books, gather_rows(wrote, np.array([row])).columns).columns
        nearest = similarity.subject_index.search(vector, N_NEAREST if vector.any() else 0)[1]
        _, alike = find_rows(book_ids, similarity.book_ids[nearest])
        relatives = np.union1d(by_author, alike)
        relatives = relatives[is_read[relatives]]
        estimates[at] = factors[relatives].sum(axis=0) / (relatives.size + SHRINKAGE)
    return estimates
