"""Brings the models of a version up to the books of now; whatever did not change stays the same object."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from foundation.arrays import I64, find_rows
from pipeline.models.served import Served
from pipeline.records import Export
from pipeline.refreshing.arrivals import (
    Arrivals,
    add_arrivals,
    find_arrivals,
    find_trained,
    tell_of_books,
)
from pipeline.refreshing.changes import BookChanges, keep_books
from pipeline.refreshing.similarity import renew_similarity
from pipeline.refreshing.texts import fill_figures, renew_metadata, renew_semantic
from pipeline.settings import IndexParams
from servers.als.model import AlsModel
from servers.als.new_books import NewBooks


@dataclass(frozen=True, eq=False)
class Readers:
    """How many readers books have."""

    book_ids: I64
    """(n,) ascending: those that have any, at least."""
    counts: I64

    def count(self, book_ids: I64) -> I64:
        """Readers of each of these."""
        is_known, rows = find_rows(self.book_ids, book_ids)
        counts = np.zeros(book_ids.size, dtype=np.int64)
        counts[is_known] = self.counts[rows]
        return counts


@dataclass(frozen=True, eq=False)
class Today:
    """What the models are brought up to."""

    catalog: Export
    """Of the books that are shown."""
    cards: pa.Table
    """Without figures of ratings."""
    changes: BookChanges
    readers: Readers
    now_s: int


def renew(former: Served, today: Today, params: IndexParams, text_folder: Path) -> Served:
    """The models of all servers for the books of today."""
    changes, catalog = today.changes, today.catalog
    als, estimated = _renew_als(former, today)
    cards = fill_figures(today.cards, former.metadata.cards, changes, today.readers.count(changes.book_ids))
    return Served(
        embedder=former.embedder,
        similarity=renew_similarity(
            former.similarity, changes, catalog, former.embedder, als,
            today.readers.count(als.book_ids), estimated, params,
        ),
        als=als,
        metadata=renew_metadata(former.metadata, changes, catalog, cards, als, text_folder),
        semantic=renew_semantic(former.semantic, changes, cards, params),
    )  # fmt: skip


def add_new_books(
    trained: Served, former: Served, catalog: Export, readers: Readers, params: IndexParams, *, now_s: int
) -> Served:
    """Newly trained models, with what the former version's new books are owed until their readers come."""
    book_ids = trained.metadata.book_ids
    arrivals = find_arrivals(
        former.als, former.metadata.book_ids, trained.als, book_ids, readers.count(book_ids), now_s=now_s
    )
    als = add_arrivals(trained.als, arrivals)
    estimated = np.flatnonzero(~np.isin(als.book_ids, trained.als.book_ids))
    if not estimated.size:
        return replace(trained, als=als)
    counts = readers.count(als.book_ids)
    als = tell_of_books(als, catalog, counts, trained.embedder, trained.similarity, estimated)
    similarity = renew_similarity(
        trained.similarity, keep_books(book_ids), catalog, trained.embedder, als, counts, estimated, params
    )
    return replace(trained, als=als, similarity=similarity)


def _renew_als(former: Served, today: Today) -> tuple[AlsModel, I64]:
    """The ALS model of today, and the rows whose factors were estimated."""
    changes, readers = today.changes, today.readers
    arrivals = find_arrivals(
        former.als,
        former.metadata.book_ids,
        former.als,
        changes.book_ids,
        readers.count(changes.book_ids),
        now_s=today.now_s,
    )
    als = add_arrivals(former.als, arrivals)
    estimated = _find_estimated(former.als, als, arrivals, changes)
    told = changes.find("authors", "language", "isbns", "year")
    is_told = np.isin(als.book_ids, changes.book_ids[told]).any()
    if is_told or estimated.size:
        counts = readers.count(als.book_ids)
        als = tell_of_books(als, today.catalog, counts, former.embedder, former.similarity, estimated)
    shown = np.isin(als.book_ids, changes.book_ids)
    is_same = als.book_ids is former.als.book_ids and not is_told and not estimated.size
    if is_same and _is_one(als.new_books, former.als.new_books) and (shown == former.als.is_shown).all():
        return former.als, estimated
    return replace(als, shown=shown), estimated


def _find_estimated(former: AlsModel, als: AlsModel, arrivals: Arrivals, changes: BookChanges) -> I64:
    """Rows of new books that no training has seen, and whose authors or subjects are others than before."""
    rows = find_rows(als.book_ids, arrivals.book_ids)[1]
    is_trained = np.isin(rows, find_trained(als))
    told = changes.book_ids[changes.find("authors", "subjects")]
    is_due = np.isin(arrivals.book_ids, told) | ~np.isin(arrivals.book_ids, former.book_ids)
    return rows[is_due & ~is_trained]


def _is_one(left: NewBooks | None, right: NewBooks | None) -> bool:
    if left is None or right is None:
        return left is right
    return np.array_equal(left.item_idx, right.item_idx) and np.array_equal(
        left.arrived_at_s, right.arrived_at_s
    )
