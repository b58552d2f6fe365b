"""Brings what searches read up to the books of now: cards, text index, texts' vectors."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_array

from foundation.arrays import I64, find_rows
from pipeline.models.cards import TEXT_COLUMNS, describe_books
from pipeline.models.subject_sets import collect_subject_sets
from pipeline.models.text_index import renew_text_index
from pipeline.records import Export
from pipeline.refreshing.changes import BookChanges
from pipeline.refreshing.graph import renew_graph
from pipeline.settings import IndexParams
from servers.als.model import AlsModel
from servers.metadata.model import MetadataModel
from servers.metadata.text_index import TextIndex
from servers.semantic.model import SemanticModel


def fill_figures(cards: pa.Table, former: pa.Table, changes: BookChanges, counts: I64) -> pa.Table:
    """The cards with the former figures of ratings; counts (n,) are the readers of each, for new ones."""
    n_ratings = np.where(changes.is_new, counts, changes.take_old(former["n_ratings"].to_numpy()))
    means = changes.take_old(former["mean_rating"].to_numpy(), missing=np.nan)
    for name, values in (("n_ratings", n_ratings), ("mean_rating", means)):
        at = cards.schema.get_field_index(name)
        cards = cards.set_column(at, cards.schema.field(at), pa.array(values, from_pandas=True))
    return cards


def renew_metadata(
    former: MetadataModel,
    changes: BookChanges,
    catalog: Export,
    cards: pa.Table,
    als: AlsModel,
    text_folder: Path,
) -> MetadataModel:
    """Cards of now; a new book is as popular as the ALS model knows, which is not at all for most."""
    popularity = changes.take_old(former.popularity)
    is_known, rows = find_rows(als.book_ids, changes.book_ids[changes.is_new])
    popularity[np.flatnonzero(changes.is_new)[is_known]] = als.evidence.popularity.popularity[rows]
    removed = former.book_ids[~np.isin(former.book_ids, changes.book_ids)]
    written = changes.find(*TEXT_COLUMNS)
    text_index = former.text_index
    if removed.size or written.size:
        outdated = np.concatenate([removed, changes.book_ids[written]])
        some = pa.array(written)
        renew_text_index(text_index.path, text_folder, outdated, cards.take(some), popularity[written])
        text_index = TextIndex(text_folder)
    sets = collect_subject_sets(catalog.book_subjects, catalog.subjects, changes.book_ids)
    return replace(
        former,
        cards=cards,
        popularity=popularity,
        popular_order=np.lexsort((changes.book_ids, -popularity)).astype(np.int32),
        subjects=sets.names,
        subject_books=csr_array(sets.matrix.T.tocsr()),
        text_index=text_index,
    )


def renew_semantic(
    former: SemanticModel, changes: BookChanges, cards: pa.Table, params: IndexParams
) -> SemanticModel:
    """Vectors of new and changed texts by the words that the encoder knows; all others as they were."""
    written = changes.find(*TEXT_COLUMNS)
    if not (changes.moves_rows or written.size):
        return former
    encoded = former.encoder.encode(describe_books(cards.take(pa.array(written))))
    index = renew_graph(former.text_index, changes.new_rows, written, encoded, params)
    return replace(former, book_ids=changes.book_ids, text_index=index)
