"""What the training of subject embeddings minimises: four losses, each with a weight."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.models.subject_sets import NO_SUBJECT
from pipeline.settings import SubjectsParams

IMPOSSIBLE = -1e9
"""Logit of what must not be chosen."""


@dataclass(frozen=True, eq=False)
class SubjectExamples:
    """What the embeddings are trained on: readers' subjects, books' subjects, and who read what."""

    item_subjects: Tensor
    """(n_items, width): each book's subjects and authors, padded with NO_SUBJECT."""
    log_popularity: Tensor
    """(n_items,): a popular book is read by readers of any taste, so the ranking loss allows for it."""
    user_subjects: Tensor
    """(n_examples, width): a reader's favourite subjects, counted without this example's book."""
    user_authors: Tensor
    """(n_examples, width): likewise their authors; half of the examples do without."""
    item_idx: Tensor
    """(n_examples,): the book that this reader read."""
    ratings: Tensor
    """(n_examples,): standardised ratings, NaN for implicit ones."""
    pairs: Tensor
    """(n_pairs, 2): books that many readers read both."""
    n_subjects: int
    """Subjects and authors."""


class Pools(Protocol):
    """What losses need of the model."""

    @property
    def popularity_weight(self) -> Tensor:
        """How much more likely a popular book is read."""

    @property
    def rating_scale(self) -> Tensor:
        """(2,): slope and height of the line from a cosine to a rating."""

    def pool(self, subject_sets: Tensor) -> Tensor:
        """(n_sets, dim) unit vectors of padded sets."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Examples drawn with replacement; all sets are padded with NO_SUBJECT."""

    users: Tensor
    """(batch_size, width): subjects and authors of readers."""
    items: Tensor
    """(batch_size, width): of the books that they read."""
    item_idx: Tensor
    ratings: Tensor
    negatives: Tensor
    """(n_negatives, width): of any books."""
    negative_idx: Tensor
    co_read: tuple[Tensor, Tensor]
    """Two of (n_pairs, width): of books that many readers read both; empty without any."""
    co_occurring: tuple[Tensor, Tensor]
    """Two of (n_pairs, 1): subjects of one book; empty without any."""


def draw_batch(examples: SubjectExamples, params: SubjectsParams, generator: torch.Generator) -> Batch:
    """One batch; the same generator draws the same."""

    def draw(n: int, size: int) -> Tensor:
        return torch.randint(n, (size,), generator=generator)

    chosen = draw(len(examples.item_idx), params.batch_size)
    negative_idx = draw(len(examples.item_subjects), params.n_negatives)
    co_read = examples.pairs[draw(max(len(examples.pairs), 1), params.n_pairs if len(examples.pairs) else 0)]
    authors = examples.user_authors[chosen]
    is_without = torch.rand(len(chosen), 1, generator=generator) < 0.5
    item_idx = examples.item_idx[chosen]
    return Batch(
        users=torch.cat([examples.user_subjects[chosen], authors.masked_fill(is_without, NO_SUBJECT)], dim=1),
        items=examples.item_subjects[item_idx],
        item_idx=item_idx,
        ratings=examples.ratings[chosen],
        negatives=examples.item_subjects[negative_idx],
        negative_idx=negative_idx,
        co_read=(examples.item_subjects[co_read[:, 0]], examples.item_subjects[co_read[:, 1]]),
        co_occurring=_draw_co_occurring(examples.item_subjects, params.n_pairs, generator),
    )


def find_loss(model: Pools, batch: Batch, log_popularity: Tensor, params: SubjectsParams) -> Tensor:
    """The weighed sum of the losses; one of weight 0 costs nothing."""
    users, items = model.pool(batch.users), model.pool(batch.items)
    total = torch.zeros(())
    if params.ranking_weight:
        ranking = _ranking_loss(model, batch, users, items, log_popularity, params.temperature)
        total = total + params.ranking_weight * ranking
    if params.rating_weight:
        total = total + params.rating_weight * _rating_loss(model, users, items, batch.ratings)
    for weight, (left, right) in (
        (params.contrastive_weight, batch.co_read),
        (params.co_occurrence_weight, batch.co_occurring),
    ):
        if weight and len(left):
            pooled = model.pool(left), model.pool(right)
            total = total + weight * _contrastive_loss(*pooled, params.temperature)
    return total


def _draw_co_occurring(
    item_subjects: Tensor, n_pairs: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Two different subjects of each of n_pairs books that have as many."""
    n_of_item = (item_subjects != NO_SUBJECT).sum(dim=1)
    eligible = torch.nonzero(n_of_item > 1)[:, 0]
    if not len(eligible):
        nothing = item_subjects[:0, :1]
        return nothing, nothing
    rows = eligible[torch.randint(len(eligible), (n_pairs,), generator=generator)]
    sizes = n_of_item[rows]
    first = (torch.rand(n_pairs, generator=generator) * sizes).long()
    step = 1 + (torch.rand(n_pairs, generator=generator) * (sizes - 1)).long()
    second = (first + step) % sizes
    return item_subjects[rows, first][:, None], item_subjects[rows, second][:, None]


def _ranking_loss(
    model: Pools, batch: Batch, users: Tensor, items: Tensor, log_popularity: Tensor, temperature: float
) -> Tensor:
    """Softmax of the book read against uniformly drawn ones, so there is no sampling bias to correct."""
    popularity = model.popularity_weight * log_popularity
    own = (users * items).sum(dim=1) / temperature + popularity[batch.item_idx]
    others = users @ model.pool(batch.negatives).T / temperature + popularity[batch.negative_idx]
    others = others.masked_fill(batch.item_idx[:, None] == batch.negative_idx[None], IMPOSSIBLE)
    logits = torch.cat([own[:, None], others], dim=1)
    return functional.cross_entropy(logits, torch.zeros(len(own), dtype=torch.long))


def _rating_loss(model: Pools, users: Tensor, items: Tensor, ratings: Tensor) -> Tensor:
    """Squared error of a line through the cosine, over the explicit ratings of the batch."""
    is_explicit = ~torch.isnan(ratings)
    predicted = model.rating_scale[0] * (users * items).sum(dim=1) + model.rating_scale[1]
    errors = (predicted - torch.nan_to_num(ratings)) ** 2 * is_explicit
    return errors.sum() / is_explicit.sum().clamp(min=1)


def _contrastive_loss(left: Tensor, right: Tensor, temperature: float) -> Tensor:
    """InfoNCE: each one's partner against the partners of the batch's others."""
    logits = left @ right.T / temperature
    return functional.cross_entropy(logits, torch.arange(len(left)))
