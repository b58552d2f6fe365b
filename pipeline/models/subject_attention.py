"""Trains subject embeddings and their attention in PyTorch, so that a set of subjects ranks books.

The served form is `servers.embedder.model.EmbedderModel`; `SubjectAttention.pool` is its differentiable twin.
Authors are subjects here: a book is the set of both.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from foundation.arrays import I64, Mask
from foundation.tools import Advance
from pipeline.models.subject_losses import Batch, SubjectExamples, draw_batch, find_loss
from pipeline.models.subject_sets import NO_SUBJECT, Sets
from pipeline.settings import AttentionStrategy, SubjectsParams


class SubjectAttention(nn.Module):
    """Embeddings E, attention W and b, and the few scalars that only the losses need."""

    def __init__(
        self,
        n_subjects: int,
        dim: int,
        generator: torch.Generator,
        strategy: AttentionStrategy = "per-dimension",
    ) -> None:
        super().__init__()
        n_weights = 1 if strategy == "scalar" else dim
        self.embeddings = nn.Parameter(torch.randn(n_subjects, dim, generator=generator) / dim**0.5)
        self.attention_weight = nn.Parameter(torch.zeros(dim, n_weights))
        self.attention_bias = nn.Parameter(torch.zeros(n_weights))
        self.popularity_weight = nn.Parameter(torch.tensor(0.5))
        self.rating_scale = nn.Parameter(torch.tensor([0.0, 0.0]))
        self.mixing: nn.Parameter | None = None
        if strategy == "transformer":
            # Values begin at zero, so that training begins where it does without mixing.
            queries_and_keys = torch.randn(2, dim, dim, generator=generator) / dim**0.5
            self.mixing = nn.Parameter(torch.cat([queries_and_keys, torch.zeros(1, dim, dim)]))

    def pool(self, subject_sets: Tensor) -> Tensor:
        """(n_sets, dim) unit vectors of padded sets, as EmbedderModel pools them."""
        is_padding = (subject_sets == NO_SUBJECT)[..., None]
        if self.mixing is None:
            logits = self.embeddings @ self.attention_weight + self.attention_bias
            # One gather of both: a step's time is mostly that of its gathers' gradients.
            table = torch.cat([self.embeddings, logits], dim=1)
            gathered = functional.embedding(subject_sets.clamp(min=0), table)
            values, attention = gathered.tensor_split([self.embeddings.shape[1]], dim=2)
        else:
            values = self._mix(functional.embedding(subject_sets.clamp(min=0), self.embeddings), is_padding)
            attention = values @ self.attention_weight + self.attention_bias
        weights = torch.softmax(attention.masked_fill(is_padding, -1e9), dim=1)
        return functional.normalize((weights * values).sum(dim=1), dim=1)

    def _mix(self, values: Tensor, is_padding: Tensor) -> Tensor:
        """Each subject in the light of the others of its set: one head of self-attention, added to it."""
        assert self.mixing is not None
        queries, keys, mixed = torch.einsum("nsd,mde->mnse", values, self.mixing)
        logits = queries @ keys.transpose(1, 2) / values.shape[2] ** 0.5
        weights = torch.softmax(logits.masked_fill(is_padding.transpose(1, 2), -1e9), dim=2)
        added: Tensor = weights @ mixed
        return values + added


def train_subject_attention(
    examples: SubjectExamples, *, params: SubjectsParams, seed: int, advance: Advance
) -> tuple[SubjectAttention, Mask]:
    """Minimise the weighed losses with Adam; the mask (n_subjects,) tells what was drawn with its books.

    At most `max_steps` batches, so the time is bounded whatever the data. The same seed gives the same bytes.
    """
    # Batches are small: a second thread gains little, and on a busy machine the two wait for each other.
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(seed)
    model = SubjectAttention(examples.n_subjects, params.dim, generator, params.strategy)
    is_trained = torch.zeros(examples.n_subjects, dtype=torch.bool)
    n_steps = min(params.max_steps, params.n_epochs * -(-len(examples.item_idx) // params.batch_size))
    optimizer = torch.optim.Adam(model.parameters(), lr=params.learning_rate)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, total_iters=n_steps)
    for step in range(n_steps):
        batch = draw_batch(examples, params, generator)
        _mark(is_trained, batch)
        loss = find_loss(model, batch, examples.log_popularity, params)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()
        schedule.step()
        advance((step + 1) / n_steps)
    return model, is_trained.numpy()


def pad_sets(sets: Sets, width: int) -> I64:
    """(n_sets, width): the first `width` of each set, padded with NO_SUBJECT."""
    sizes = np.minimum(np.diff(sets.offsets), width)
    padded = np.full((sizes.size, width), NO_SUBJECT, dtype=np.int64)
    padded[np.arange(width) < sizes[:, None]] = sets.cut(width).members
    return padded


def _mark(is_trained: Tensor, batch: Batch) -> None:
    """What was only set against others has learned where not to be, and no more."""
    for drawn in (batch.users, batch.items):
        is_trained[drawn[drawn != NO_SUBJECT]] = True
