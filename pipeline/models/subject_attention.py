"""Trains subject embeddings and their attention in PyTorch, so that a set of subjects ranks books.

The served form is `servers.embedder.model.EmbedderModel`; `SubjectAttention.pool` is its differentiable twin.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from foundation.arrays import I64
from foundation.tools import Advance
from pipeline.models.subject_sets import NO_SUBJECT
from pipeline.settings import SubjectsParams


@dataclass(frozen=True, eq=False)
class SubjectExamples:
    """What the embeddings are trained on: readers' subjects, books' subjects, and who read what."""

    item_subjects: Tensor
    """(n_items, width): each book's subjects, padded with NO_SUBJECT."""
    log_popularity: Tensor
    """(n_items,): a popular book is read by readers of any taste, so the ranking loss allows for it."""
    user_subjects: Tensor
    """(n_examples, width): a reader's favourite subjects, counted without this example's book."""
    item_idx: Tensor
    """(n_examples,): the book that this reader read."""
    ratings: Tensor
    """(n_examples,): standardised ratings, NaN for implicit ones."""
    pairs: Tensor
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
    n_steps = min(params.max_steps, params.n_epochs * -(-len(examples.item_idx) // params.batch_size))
    optimizer = torch.optim.Adam(model.parameters(), lr=params.learning_rate)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, total_iters=n_steps)
    for step in range(n_steps):
        loss = _draw_loss(model, examples, params, generator)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()
        schedule.step()
        advance((step + 1) / n_steps)
    return model


def _draw_loss(
    model: SubjectAttention, examples: SubjectExamples, params: SubjectsParams, generator: torch.Generator
) -> Tensor:
    """The loss of one batch, drawn with replacement."""

    def draw(n: int, size: int) -> Tensor:
        return torch.randint(n, (size,), generator=generator)

    chosen = draw(len(examples.item_idx), params.batch_size)
    negatives = draw(len(examples.item_subjects), params.n_negatives)
    chosen_pairs = draw(max(len(examples.pairs), 1), params.n_pairs)
    users = model.pool(examples.user_subjects[chosen])
    item_idx = examples.item_idx[chosen]
    items = model.pool(examples.item_subjects[item_idx])
    total = _ranking_loss(model, examples, users, items, item_idx, negatives, params.temperature)
    if params.rating_weight:
        total = total + params.rating_weight * _rating_loss(model, users, items, examples.ratings[chosen])
    if params.contrastive_weight and len(examples.pairs):
        pairs = examples.pairs[chosen_pairs]
        left = model.pool(examples.item_subjects[pairs[:, 0]])
        right = model.pool(examples.item_subjects[pairs[:, 1]])
        total = total + params.contrastive_weight * _contrastive_loss(left, right, params.temperature)
    return total


def _ranking_loss(
    model: SubjectAttention,
    examples: SubjectExamples,
    users: Tensor,
    items: Tensor,
    item_idx: Tensor,
    negatives: Tensor,
    temperature: float,
) -> Tensor:
    """Softmax of the book read against uniformly drawn ones, so there is no sampling bias to correct."""
    popularity = model.popularity_weight * examples.log_popularity
    own = (users * items).sum(dim=1) / temperature + popularity[item_idx]
    others = users @ model.pool(examples.item_subjects[negatives]).T / temperature + popularity[negatives]
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
