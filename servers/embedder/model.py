"""Pools the embeddings of a set of subjects, and of authors, into one vector by attention."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np

from foundation.arrays import F32, I64
from servers.errors import NoKnownSubjects

SETS_PER_BLOCK: Final = 8192
"""Bounds the memory of `pool_sets`, which holds three (subjects of a block, dim) arrays at once."""


@dataclass(frozen=True, eq=False)
class EmbedderModel:
    """Embeddings E of subjects and authors, and the attention that weighs them; none is here untrained."""

    subjects: list[str]
    embeddings: F32
    """(n_subjects + n_authors, dim)."""
    attention_weight: F32
    """W, (dim, dim), or (dim, 1) where one weight holds for all dimensions."""
    attention_bias: F32
    """b, (dim,) or (1,)."""
    author_ids: I64 = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """(n_authors,), ascending; their rows come after those of the subjects."""
    mixing: F32 | None = None
    """(3, dim, dim): the Q, K and V of a transformer, by which the embeddings of a set are mixed first."""

    def embed(self, names: Sequence[str]) -> tuple[F32, list[str], list[str]]:
        """The unit vector (dim,) of these subjects; then the known names as spelled here, and the unknown.

        Letter case does not matter, nor does order, nor does a name given twice. Raises NoKnownSubjects.
        """
        subject_idx = sorted({self._rows[key] for name in names if (key := name.casefold()) in self._rows})
        unknown = [name for name in names if name.casefold() not in self._rows]
        if not subject_idx:
            raise NoKnownSubjects(names)
        vector = self.pool_sets(np.array([0, len(subject_idx)]), np.array(subject_idx))[0]
        return vector, [self.subjects[idx] for idx in subject_idx], unknown

    def pool_sets(self, offsets: I64, subject_idx: I64) -> F32:
        """(n_sets, dim) unit vectors, zero where empty; set i is subject_idx[offsets[i]:offsets[i+1]].

        Indices are rows of `embeddings`, and may name authors.
        """
        pooled = np.zeros((offsets.size - 1, self.embeddings.shape[1]), dtype=np.float32)
        for first in range(0, pooled.shape[0], SETS_PER_BLOCK):
            last = min(first + SETS_PER_BLOCK, pooled.shape[0])
            idx = subject_idx[offsets[first] : offsets[last]]
            pooled[first:last] = self._pool_block(np.diff(offsets[first : last + 1]), idx)
        return pooled

    def _pool_block(self, lengths: I64, subject_idx: I64) -> F32:
        """v_j = Σ_s a_sj E_sj with a_sj = softmax over the subjects s of a set of (E_s W + b)_j.

        E is mixed beforehand where the model does so.
        """
        block = np.zeros((lengths.size, self.embeddings.shape[1]), dtype=np.float32)
        filled = lengths > 0
        if not filled.any():
            return block
        sizes = lengths[filled]
        starts = np.cumsum(sizes) - sizes
        values = self.embeddings[subject_idx]
        if self.mixing is None:
            logits = self._logits[subject_idx]
        else:
            values = values + _attend(values, sizes, self.mixing)
            logits = self._weigh(values)
        # Subtracting the largest logit of each set keeps exp() finite and leaves the softmax as it is.
        weights = np.exp(logits - np.repeat(np.maximum.reduceat(logits, starts), sizes, axis=0))
        vectors = np.add.reduceat(weights * values, starts) / np.add.reduceat(weights, starts)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        block[filled] = vectors / np.maximum(norms, np.finfo(np.float32).tiny)
        return block

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {name.casefold(): idx for idx, name in enumerate(self.subjects)}

    @cached_property
    def _logits(self) -> F32:
        return self._weigh(self.embeddings)

    def _weigh(self, values: F32) -> F32:
        return np.asarray(values @ self.attention_weight + self.attention_bias, dtype=np.float32)


def _attend(values: F32, sizes: I64, mixing: F32) -> F32:
    """What the others of its set add to each value: softmax(QKᵀ / √dim) V, one head (Vaswani et al. 2017)."""
    queries, keys, mixed = values @ mixing
    added = np.empty_like(values)
    for end, size in zip(np.cumsum(sizes), sizes, strict=True):
        of_set = slice(end - size, end)
        logits = queries[of_set] @ keys[of_set].T / values.shape[1] ** 0.5
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        added[of_set] = (weights / weights.sum(axis=1, keepdims=True)) @ mixed[of_set]
    return added
