"""Step 5: learns what subjects mean from who reads which books, as embeddings and attention."""

import numpy as np
import torch
from scipy.sparse import csr_array

from foundation.arrays import F32, I64, Mask, find_rows
from foundation.tools import Tools
from pipeline.models.subject_attention import pad_sets, train_subject_attention
from pipeline.models.subject_losses import SubjectExamples
from pipeline.models.subject_sets import (
    N_FAVOURITES,
    NO_SUBJECT,
    Sets,
    SubjectSets,
    collect_author_sets,
    collect_subject_sets,
    find_favourites,
)
from pipeline.records import Aggregates, Export, Fold
from pipeline.settings import SubjectsParams
from servers.embedder.model import EmbedderModel

BOOK_WIDTH = 8
"""Subjects of a book that training looks at; the catalog has the most telling first."""
N_AUTHORS = 2
"""Authors of a book, and of a reader's, that training looks at."""
EXAMPLES_PER_BLOCK = 4096
"""Bounds memory: one block holds this many rows of counts over all subjects."""


def learn_subjects(
    fold: Fold, aggregates: Aggregates, catalog: Export, *, params: SubjectsParams, seed: int, tools: Tools
) -> EmbedderModel:
    """Train on readers of at least two books with subjects; what was never drawn is not known."""
    subjects = collect_subject_sets(catalog.book_subjects, catalog.subjects, fold.book_ids)
    author_ids = find_read_authors(catalog, fold, aggregates, params.n_authors)
    authors = collect_author_sets(catalog.book_authors, fold.book_ids, author_ids)
    examples = build_examples(fold, aggregates, subjects, authors, author_ids.size)
    model, is_trained = train_subject_attention(examples, params=params, seed=seed, advance=tools.advance)
    n_subjects = len(subjects.names)
    return EmbedderModel(
        subjects=[subjects.names[idx] for idx in np.flatnonzero(is_trained[:n_subjects])],
        embeddings=_to_numpy(model.embeddings)[is_trained],
        attention_weight=_to_numpy(model.attention_weight),
        attention_bias=_to_numpy(model.attention_bias),
        author_ids=author_ids[is_trained[n_subjects:]],
        mixing=None if model.mixing is None else _to_numpy(model.mixing),
    )


def find_read_authors(catalog: Export, fold: Fold, aggregates: Aggregates, n_authors: int) -> I64:
    """Ids of the authors whose books have most readers, ascending; ties by id."""
    is_ours, rows = find_rows(fold.book_ids, catalog.book_authors["book_id"].to_numpy())
    author_ids, column = np.unique(catalog.book_authors["author_id"].to_numpy()[is_ours], return_inverse=True)
    n_readers = np.bincount(column, aggregates.counts[rows], minlength=author_ids.size)
    return np.sort(author_ids[np.argsort(-n_readers, kind="stable")[:n_authors]])


def build_examples(
    fold: Fold, aggregates: Aggregates, subjects: SubjectSets, authors: Sets, n_authors: int
) -> SubjectExamples:
    """One example for each interaction of a reader who also read something else with a subject."""
    n_subjects = len(subjects.names)
    sets = subjects.sets.cut(BOOK_WIDTH).join(authors.cut(N_AUTHORS).shift(n_subjects))
    has_any = np.diff(sets.offsets) > 0
    users = np.repeat(np.arange(fold.user_ids.size), np.diff(fold.user_items.indptr))
    items = fold.user_items.indices.astype(np.int64)
    pairs = fold.user_items, users, items
    user_subjects = _favourites_without(*pairs, subjects.matrix, subjects.is_generic, N_FAVOURITES)
    is_author_generic = np.zeros(n_authors, dtype=bool)
    user_authors = _favourites_without(*pairs, authors.matrix(n_authors), is_author_generic, N_AUTHORS)
    is_example = has_any[items] & (user_subjects[:, 0] >= 0)
    co_reading = aggregates.co_reading.tocoo()
    is_pair = (co_reading.data >= 2) & has_any[co_reading.row] & has_any[co_reading.col]
    co_read = np.stack([co_reading.row[is_pair], co_reading.col[is_pair]], axis=1).astype(np.int64)
    return SubjectExamples(
        item_subjects=torch.from_numpy(pad_sets(sets, BOOK_WIDTH + N_AUTHORS)),
        log_popularity=torch.from_numpy(np.log1p(aggregates.counts).astype(np.float32)),
        user_subjects=torch.from_numpy(user_subjects[is_example]),
        user_authors=torch.from_numpy(
            np.where(user_authors < 0, NO_SUBJECT, user_authors + n_subjects)[is_example]
        ),
        item_idx=torch.from_numpy(items[is_example]),
        ratings=torch.from_numpy(_standardise(fold.ratings.data)[is_example]),
        pairs=torch.from_numpy(co_read),
        n_subjects=n_subjects + n_authors,
    )


def _standardise(ratings: F32) -> F32:
    """Ratings with mean 0 and deviation 1; NaN stays NaN."""
    explicit = ratings[~np.isnan(ratings)]
    if not explicit.size:
        return ratings
    return np.asarray((ratings - explicit.mean()) / max(explicit.std(), 1e-6), dtype=np.float32)


def _favourites_without(
    user_items: csr_array, users: I64, items: I64, item_counts: csr_array, is_generic: Mask, n: int
) -> I64:
    """(n_pairs, n): each user's favourites, had they not read the item; padded with NO_SUBJECT."""
    user_counts = (user_items @ item_counts).tocsr()
    favourites = np.full((users.size, n), NO_SUBJECT, dtype=np.int64)
    for first in range(0, users.size, EXAMPLES_PER_BLOCK):
        block = slice(first, first + EXAMPLES_PER_BLOCK)
        counts = user_counts[users[block]] - item_counts[items[block]]
        favourites[block] = find_favourites(counts.toarray(), is_generic, n)
    return favourites


def _to_numpy(tensor: torch.Tensor) -> F32:
    return np.asarray(tensor.detach().numpy(), dtype=np.float32).copy()
