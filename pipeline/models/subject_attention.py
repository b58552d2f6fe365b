"""Trains subject embeddings and their attention in PyTorch, so that a set of subjects ranks books.

The served form is `servers.embedder.model.EmbedderModel`; `SubjectAttention.pool` is its differentiable twin.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from foundation.arrays import F32, I64
from foundation.tools import Advance
from pipeline.models.subject_sets import NO_SUBJECT
from pipeline.settings import SubjectsParams


@dataclass(frozen=True, eq=False)
class SubjectExamples:
    """What the embeddings are trained on: readers' subjects, books' subjects, and who read what."""

    item_subjects: I64
    """(n_items, width): each book's subjects, padded with NO_SUBJECT."""
    log_popularity: F32
    """(n_items,): a popular book is read by readers of any taste, so the ranking loss allows for it."""
    user_subjects: I64
    """(n_examples, width): a reader's favourite subjects, counted without this example's book."""
    item_idx: I64
    """(n_examples,): the book that this reader read."""
    ratings: F32
    """(n_examples,): standardised ratings, NaN for implicit ones."""
    pairs: I64
    """(n_pairs, 2): books that many readers read both."""
    n_subjects: int


class SubjectAttention(nn.Module):
    """Embeddings E, attention W and b, and the few scalars that only the losses need."""

    def __init__(self, n_subjects: int, dim: int, generator: torch.Generator) -> None:
        super().__init__()
        self.embeddings = nn.Parameter(torch.randn(n_subjects, dim, generator=generator) / dim**0.5)
        self.attention_weight = nn.Parameter(torch.zeros(dim, dim))
        self.attention_bias = nn.Parameter(torch.zeros(dim))
        self.popularity_weight = nn.Parameter(torch.tensor(0.5))
        self.rating_scale = nn.Parameter(torch.tensor([0.0, 0.0]))

    def pool(self, subject_sets: Tensor) -> Tensor:
        """(n_sets, dim) unit vectors of padded sets, as EmbedderModel pools them."""
        logits = self.embeddings @ self.attention_weight + self.attention_bias
        # One gather of both: a step's time is mostly that of its gathers' gradients.
        table = torch.cat([self.embeddings, logits], dim=1)
        values, attention = functional.embedding(subject_sets.clamp(min=0), table).chunk(2, dim=2)
        is_padding = (subject_sets == NO_SUBJECT)[..., None]
        weights = torch.softmax(attention.masked_fill(is_padding, -1e9), dim=1)
        return functional.normalize((weights * values).sum(dim=1), dim=1)


def train_subject_attention(
    examples: SubjectExamples, *, params: SubjectsParams, seed: int, advance: Advance
) -> SubjectAttention:
    """Minimise ranking + rating_weight · regression + contrastive_weight · co-reading loss with Adam.

    At most `max_steps` batches, so the time is bounded whatever the data. The same seed gives the same bytes.
    """
    # Batches are small: a second thread gains little, and on a busy machine the two wait for each other.
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(seed)
    model = SubjectAttention(examples.n_subjects, params.dim, generator)
    n_examples, n_items = examples.item_idx.size, examples.item_subjects.shape[0]
    n_steps = min(params.max_steps, params.n_epochs * -(-n_examples // params.batch_size))
    optimizer = torch.optim.Adam(model.parameters(), lr=params.learning_rate)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, total_iters=n_steps)
    batches = _Batches(examples)
    for step in range(n_steps):
        chosen = torch.randint(n_examples, (params.batch_size,), generator=generator)
        negatives = torch.randint(n_items, (params.n_negatives,), generator=generator)
        chosen_pairs = torch.randint(max(examples.pairs.shape[0], 1), (params.n_pairs,), generator=generator)
        loss = _loss(model, batches, chosen, negatives, chosen_pairs, params)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()
        schedule.step()
        advance((step + 1) / n_steps)
    return model


class _Batches:
    """The examples as tensors."""

    def __init__(self, examples: SubjectExamples) -> None:
        self.item_subjects = torch.from_numpy(examples.item_subjects)
        self.log_popularity = torch.from_numpy(examples.log_popularity)
        self.user_subjects = torch.from_numpy(examples.user_subjects)
        self.item_idx = torch.from_numpy(examples.item_idx)
        self.ratings = torch.from_numpy(examples.ratings)
        self.pairs = torch.from_numpy(examples.pairs)


def _loss(
    model: SubjectAttention,
    batches: _Batches,
    chosen: Tensor,
    negatives: Tensor,
    chosen_pairs: Tensor,
    params: SubjectsParams,
) -> Tensor:
    users = model.pool(batches.user_subjects[chosen])
    item_idx = batches.item_idx[chosen]
    items = model.pool(batches.item_subjects[item_idx])
    total = _ranking_loss(model, batches, users, items, item_idx, negatives, params.temperature)
    if params.rating_weight:
        total = total + params.rating_weight * _rating_loss(model, users, items, batches.ratings[chosen])
    if params.contrastive_weight and batches.pairs.shape[0]:
        pairs = batches.pairs[chosen_pairs]
        left = model.pool(batches.item_subjects[pairs[:, 0]])
        right = model.pool(batches.item_subjects[pairs[:, 1]])
        total = total + params.contrastive_weight * _contrastive_loss(left, right, params.temperature)
    return total


def _ranking_loss(
    model: SubjectAttention,
    batches: _Batches,
    users: Tensor,
    items: Tensor,
    item_idx: Tensor,
    negatives: Tensor,
    temperature: float,
) -> Tensor:
    """Softmax of the book read against uniformly drawn ones, so there is no sampling bias to correct."""
    popularity = model.popularity_weight * batches.log_popularity
    own = (users * items).sum(dim=1) / temperature + popularity[item_idx]
    others = users @ model.pool(batches.item_subjects[negatives]).T / temperature + popularity[negatives]
    others = others.masked_fill(item_idx[:, None] == negatives[None], -1e9)
    logits = torch.cat([own[:, None], others], dim=1)
    return functional.cross_entropy(logits, torch.zeros(len(own), dtype=torch.long))


def _rating_loss(model: SubjectAttention, users: Tensor, items: Tensor, ratings: Tensor) -> Tensor:
    """Squared error of a line through the cosine, over the explicit ratings of the batch."""
    is_explicit = ~torch.isnan(ratings)
    predicted = model.rating_scale[0] * (users * items).sum(dim=1) + model.rating_scale[1]
    errors = (predicted - torch.nan_to_num(ratings)) ** 2 * is_explicit
    return errors.sum() / is_explicit.sum().clamp(min=1)


def _contrastive_loss(left: Tensor, right: Tensor, temperature: float) -> Tensor:
    """InfoNCE: a book's co-read partner against the partners of the batch's other books."""
    logits = left @ right.T / temperature
    return functional.cross_entropy(logits, torch.arange(len(left)))


def pad_sets(offsets: I64, subject_idx: I64, width: int) -> I64:
    """(n_sets, width): the first `width` of each set, padded with NO_SUBJECT."""
    lengths = np.minimum(np.diff(offsets), width)
    columns = np.arange(width)[None]
    is_filled = columns < lengths[:, None]
    padded = np.full((lengths.size, width), NO_SUBJECT, dtype=np.int64)
    padded[is_filled] = subject_idx[(offsets[:-1, None] + columns)[is_filled]]
    return padded
