"""Whether every shown book is where it is looked for: an index that lost some answers all the same."""

from collections.abc import Iterator

import numpy as np

from artifacts.manifest import GateCheck
from foundation.arrays import I64
from pipeline.judging.checks import check_least
from pipeline.models.cards import build_plain_cards, describe_books
from pipeline.models.served import Served
from pipeline.models.vector_index import pool_books
from pipeline.records import Export
from servers.graph import VectorGraph
from servers.semantic.model import SemanticModel


def check_complete(served: Served, catalog: Export, *, prefix: str = "") -> Iterator[GateCheck]:
    """One check an index; what it must hold is asked of the catalog and the models, not of itself."""
    shown_ids = np.asarray(catalog.shown.books["book_id"].to_numpy())
    als, similarity = served.als, served.similarity
    factors = als.evidence.als.item_factors
    subjects = pool_books(served.embedder, catalog, shown_ids)
    expected = {
        "als": np.intersect1d(als.book_ids[factors.any(axis=1)], shown_ids),
        "subject": shown_ids[subjects.any(axis=1)],
        "similar": shown_ids,
        "text": _list_described(served.semantic, catalog.shown),
        "keywords": shown_ids,
        "cards": shown_ids,
    }
    found = {
        "als": _list_linked(similarity.als_index, similarity.book_ids),
        "subject": _list_linked(similarity.subject_index, similarity.book_ids),
        "similar": similarity.book_ids[: similarity.hybrid_index.ntotal],
        "text": _list_linked(served.semantic.text_index, served.semantic.book_ids),
        "keywords": served.metadata.text_index.list_ids(),
        "cards": served.metadata.cards["book_id"].to_numpy(),
    }
    for name, book_ids in expected.items():
        share = float(np.isin(book_ids, found[name]).mean()) if book_ids.size else 1.0
        detail = f"share of {book_ids.size} books that have a place there"
        yield check_least(f"{prefix}complete_{name}", share, 1.0, detail)


def _list_linked(graph: VectorGraph, book_ids: I64) -> I64:
    """Books that a search can find: those of a vector that the graph has, or that stands beside it."""
    beside = 0 if graph.unlinked is None else len(graph.unlinked)
    n_searched = min(graph.n_distinct, graph.index.ntotal + beside)
    return book_ids[graph.rows[: graph.starts[n_searched]]]


def _list_described(semantic: SemanticModel, shown: Export) -> I64:
    """Books whose texts have a vector; only texts of those that the index lacks are encoded for that."""
    cards = build_plain_cards(shown)
    shown_ids = np.asarray(cards["book_id"].to_numpy())
    has_place = np.isin(shown_ids, _list_linked(semantic.text_index, semantic.book_ids))
    lacking = np.flatnonzero(~has_place)
    has_vector = semantic.encoder.encode(describe_books(cards.take(lacking))).any(axis=1)
    return np.delete(shown_ids, lacking[~has_vector])
