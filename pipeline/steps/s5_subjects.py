"""Step 5: learns what subjects mean from who reads which books, as embeddings and attention."""

import numpy as np
import torch
from scipy.sparse import csr_array

from foundation.arrays import F32, I64
from foundation.tools import Tools
from pipeline.models.subject_attention import SubjectExamples, pad_sets, train_subject_attention
from pipeline.models.subject_sets import (
    N_FAVOURITES,
    NO_SUBJECT,
    SubjectSets,
    collect_subject_sets,
    find_favourites,
)
from pipeline.records import Aggregates, Export, Fold
from pipeline.settings import SubjectsParams
from servers.embedder.model import EmbedderModel

BOOK_WIDTH = 8
"""Subjects of a book that training looks at; the catalog has the most telling first."""
EXAMPLES_PER_BLOCK = 4096
"""Bounds memory: one block holds this many rows of counts over all subjects."""


def learn_subjects(
    fold: Fold, aggregates: Aggregates, catalog: Export, *, params: SubjectsParams, seed: int, tools: Tools
) -> EmbedderModel:
    """Train on readers of at least two books with subjects; only subjects of the fold's books are known."""
    sets = collect_subject_sets(catalog.book_subjects, catalog.subjects, fold.book_ids)
    examples = build_examples(fold, aggregates, sets)
    model = train_subject_attention(examples, params=params, seed=seed, advance=tools.advance)
    return EmbedderModel(
        subjects=sets.names,
        embeddings=_to_numpy(model.embeddings),
        attention_weight=_to_numpy(model.attention_weight),
        attention_bias=_to_numpy(model.attention_bias),
    )


def build_examples(fold: Fold, aggregates: Aggregates, sets: SubjectSets) -> SubjectExamples:
    """One example for each interaction of a reader who also read something else with a subject."""
    has_subject = np.diff(sets.offsets) > 0
    users = np.repeat(np.arange(fold.user_ids.size), np.diff(fold.user_items.indptr))
    items = fold.user_items.indices.astype(np.int64)
    user_subjects = _favourites_without(fold.user_items, sets, users, items)
    is_example = has_subject[items] & (user_subjects[:, 0] >= 0)
    co_reading = aggregates.co_reading.tocoo()
    is_pair = (co_reading.data >= 2) & has_subject[co_reading.row] & has_subject[co_reading.col]
    pairs = np.stack([co_reading.row[is_pair], co_reading.col[is_pair]], axis=1).astype(np.int64)
    return SubjectExamples(
        item_subjects=torch.from_numpy(pad_sets(sets.offsets, sets.subject_idx, BOOK_WIDTH)),
        log_popularity=torch.from_numpy(np.log1p(aggregates.counts).astype(np.float32)),
        user_subjects=torch.from_numpy(user_subjects[is_example]),
        item_idx=torch.from_numpy(items[is_example]),
        ratings=torch.from_numpy(_standardise(fold.ratings.data)[is_example]),
        pairs=torch.from_numpy(pairs),
        n_subjects=len(sets.names),
    )


def _standardise(ratings: F32) -> F32:
    """Ratings with mean 0 and deviation 1; NaN stays NaN."""
    explicit = ratings[~np.isnan(ratings)]
    if not explicit.size:
        return ratings
    return np.asarray((ratings - explicit.mean()) / max(explicit.std(), 1e-6), dtype=np.float32)


def _favourites_without(user_items: csr_array, sets: SubjectSets, users: I64, items: I64) -> I64:
    """(n, N_FAVOURITES): each user's favourites, had they not read the item; padded with NO_SUBJECT."""
    item_counts = sets.matrix
    user_counts = (user_items @ item_counts).tocsr()
    favourites = np.full((users.size, N_FAVOURITES), NO_SUBJECT, dtype=np.int64)
    for first in range(0, users.size, EXAMPLES_PER_BLOCK):
        block = slice(first, first + EXAMPLES_PER_BLOCK)
        counts = user_counts[users[block]] - item_counts[items[block]]
        favourites[block] = find_favourites(counts.toarray(), sets.is_generic, N_FAVOURITES)
    return favourites


def _to_numpy(tensor: torch.Tensor) -> F32:
    return np.asarray(tensor.detach().numpy(), dtype=np.float32).copy()
