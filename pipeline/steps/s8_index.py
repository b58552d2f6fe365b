"""Step 8: builds what look-ups and searches need: vectors' indexes, texts, cards."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from evidence.registry import Evidence
from foundation.arrays import I64, find_rows
from foundation.tools import Tools
from pipeline.models.cards import build_cards, build_plain_cards, describe_books
from pipeline.models.related import move_related, relate_by_authors, relate_by_readers
from pipeline.models.subject_sets import collect_authors, collect_subject_sets
from pipeline.models.text_encoder import fit_text_encoder
from pipeline.models.text_index import build_text_index
from pipeline.models.vector_index import (
    ANN_K,
    build_flat,
    build_graph,
    measure_ann_recall,
    pool_books,
    weigh_directions,
)
from pipeline.records import Aggregates, Export, Fold
from pipeline.settings import IndexParams
from servers.embedder.model import EmbedderModel
from servers.metadata.model import MetadataModel
from servers.metadata.text_index import TextIndex
from servers.semantic.model import SemanticModel
from servers.similarity.model import SimilarityModel


@dataclass(frozen=True, eq=False)
class Texts:
    """The semantic server's model; it depends on no rating, so all folds share it."""

    semantic: SemanticModel
    ann_recall: float
    """recall@30 of the text index against exact search."""


@dataclass(frozen=True, eq=False)
class Index:
    """The models of the similarity and metadata servers, over all shown books of the catalog."""

    similarity: SimilarityModel
    metadata: MetadataModel
    ann_recall: dict[str, float]
    """recall@30 of each graph, `als` and `subject`, against exact search."""


def index_texts(catalog: Export, *, params: IndexParams, seed: int) -> Texts:
    """Encode each shown book's title, authors, subjects and description, and index the vectors."""
    catalog = catalog.shown
    texts = describe_books(build_plain_cards(catalog))
    encoder = fit_text_encoder(texts, dim=params.text_dim, max_terms=params.max_terms, seed=seed)
    vectors = encoder.encode(texts)
    text_index = build_graph(vectors, params)
    return Texts(
        semantic=SemanticModel(catalog.books["book_id"].to_numpy(), encoder, text_index),
        ann_recall=measure_ann_recall(text_index, vectors, ANN_K, np.random.default_rng(seed)),
    )


def index_books(
    fold: Fold,
    aggregates: Aggregates,
    embedder: EmbedderModel,
    evidence: Evidence,
    catalog: Export,
    *,
    params: IndexParams,
    seed: int,
    tools: Tools,
) -> Index:
    """Index subject and ALS vectors, and lay out the cards; the text index is written below the workspace."""
    catalog = catalog.shown
    book_ids = catalog.books["book_id"].to_numpy()
    subject_vectors = pool_books(embedder, catalog, book_ids)
    als_vectors = _scatter(fold, book_ids, weigh_directions(evidence.als.item_factors, aggregates.counts))
    subject_index, als_index = (build_graph(vectors, params) for vectors in (subject_vectors, als_vectors))
    rng = np.random.default_rng(seed)
    return Index(
        similarity=SimilarityModel(
            book_ids=book_ids,
            subject_index=subject_index,
            als_index=als_index,
            hybrid_index=build_flat(np.hstack([subject_vectors, als_vectors])),
            dims={"subject": subject_vectors.shape[1], "als": als_vectors.shape[1]},
            related=_relate(fold, aggregates, catalog, params.n_related),
        ),
        metadata=_build_metadata(fold, aggregates, catalog, tools.workspace / "text_index"),
        ann_recall={
            "subject": measure_ann_recall(subject_index, subject_vectors, ANN_K, rng),
            "als": measure_ann_recall(als_index, als_vectors, ANN_K, rng),
        },
    )


def _relate(fold: Fold, aggregates: Aggregates, catalog: Export, n: int) -> csr_array:
    """What is read with each shown book of the catalog, and what its authors wrote."""
    book_ids = catalog.books["book_id"].to_numpy()
    rows = np.full(fold.book_ids.size, -1)
    is_shown, rows_shown = find_rows(book_ids, fold.book_ids)
    rows[is_shown] = rows_shown
    together = move_related(relate_by_readers(fold.user_items, n=n), rows, book_ids.size)
    popularity = _scatter(fold, book_ids, aggregates.popularity)
    by_author = relate_by_authors(collect_authors(catalog.book_authors, book_ids), popularity, n=n)
    return csr_array(together + by_author)


def _build_metadata(fold: Fold, aggregates: Aggregates, catalog: Export, text_folder: Path) -> MetadataModel:
    book_ids = catalog.books["book_id"].to_numpy()
    popularity = _scatter(fold, book_ids, aggregates.popularity)
    cards = build_cards(
        catalog,
        _scatter(fold, book_ids, aggregates.counts),
        _scatter(fold, book_ids, aggregates.bayesian_mean, missing=np.nan),
    )
    text_folder.mkdir(parents=True)
    build_text_index(cards, popularity, text_folder)
    sets = collect_subject_sets(catalog.book_subjects, catalog.subjects, book_ids)
    return MetadataModel(
        cards=cards,
        popularity=popularity,
        popular_order=np.lexsort((book_ids, -popularity)).astype(np.int32),
        subjects=sets.names,
        subject_books=csr_array(sets.matrix.T.tocsr()),
        text_index=TextIndex(text_folder),
    )


def _scatter(fold: Fold, book_ids: I64, values: NDArray[Any], *, missing: float = 0) -> NDArray[Any]:
    """Values of the fold's books, laid out by the rows of these ids; `missing` where the fold has none."""
    scattered = np.full((book_ids.size, *values.shape[1:]), missing, dtype=values.dtype)
    is_ours, rows = find_rows(book_ids, fold.book_ids)
    scattered[rows] = values[is_ours]
    return scattered
