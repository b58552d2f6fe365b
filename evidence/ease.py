"""Which books foretell which others, beside all others that were read: EASE of the most read books.

Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data", equation 8. Its matrix is dense, and takes
the inverse of one as large: so only the most read books have weights, and of these the largest are kept.
What books have in common, an author or a word of the title, counts like a reader of just these books: so it
tells of those that few have read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Self

import numpy as np
from numpy.linalg import LinAlgError
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from scipy.linalg.lapack import spotrf, spotri
from scipy.sparse import csr_array, diags_array, vstack

from evidence.between_books import BetweenBooks
from evidence.kind import TrainingData
from evidence.traits import read_by_trait
from foundation.arrays import F32, I64
from foundation.settings import Options, Searched
from foundation.tools import Tools

COLUMNS_PER_BLOCK: Final = 512
"""Bounds memory beside the one dense matrix."""


class EaseParams(Options):
    """Weights between the most read books."""

    n_books: PositiveInt = 10_000
    """Books that have weights at most: memory grows with the square, time with the cube."""
    n_weights: PositiveInt = 4_000_000
    """Weights that are kept at most: all of up to 2,000 books, the 400 largest for each of 10,000."""
    regularization: Annotated[PositiveFloat, Searched(20, 1000, log=True)] = 200.0
    reader_exponent: Annotated[float, Field(ge=0, le=1), Searched(0, 1)] = 0.5
    """How far a reader of many books is damped, and an author of many; 0 is the published model."""
    author_weight: Annotated[NonNegativeFloat, Searched(0, 30)] = 10.0
    """How many readers of all books of an author, and no others, each author counts as."""
    title_weight: Annotated[NonNegativeFloat, Searched(0, 10)] = 3.0
    """The same for the books with a word in their titles."""


@dataclass(frozen=True, eq=False)
class Ease(BetweenBooks[EaseParams]):
    """Item-item weights of a linear autoencoder; some are below 0."""

    learned: ClassVar[bool] = True

    @classmethod
    def fit(cls, data: TrainingData, params: EaseParams, *, seed: int, tools: Tools) -> Self:
        told = [(data.book_authors, params.author_weight), (data.title_words, params.title_weight)]
        return cls(build_weights(data.user_items, told, params=params))


def build_weights(
    user_items: csr_array, told: Sequence[tuple[csr_array, float]] = (), *, params: EaseParams
) -> csr_array:
    """(n, n): B[h, j] = −P[h, j] / P[j, j] with P = (XᵀWX + λI)⁻¹, of the largest for each j.

    W damps readers; rows are books of a history, columns the books that they speak for. `told` are traits of
    books, (n, n_traits), and what a trait weighs as one more reader.
    """
    n_items = user_items.shape[1]
    counts = np.bincount(user_items.indices, minlength=n_items)
    chosen = np.sort(np.argsort(-counts, kind="stable")[: params.n_books])
    readers = [(csr_array(user_items[:, chosen]), weigh_readers(user_items, params.reader_exponent))]
    readers += [weigh_traits(traits[chosen], weight, params.reader_exponent) for traits, weight in told]
    read, reader_weights = zip(*readers, strict=True)
    gram = weigh_pairs(csr_array(vstack(read)), np.concatenate(reader_weights))
    inverse = _invert(gram, params.regularization)
    sources, targets, weights = _largest(inverse, params.n_weights // chosen.size)
    return csr_array((weights, (chosen[sources], chosen[targets])), shape=(n_items, n_items))


def weigh_readers(user_items: csr_array, exponent: float) -> F32:
    """(n_users,): books read to the power of −exponent, so that a mean pair of reader and book weighs 1."""
    n_read = np.maximum(np.diff(user_items.indptr), 1).astype(np.float64)
    weights = n_read**-exponent
    return np.asarray(weights / np.average(weights, weights=n_read), dtype=np.float32)


def weigh_traits(traits: csr_array, weight: float, exponent: float) -> tuple[csr_array, F32]:
    """(n_shared, n): the books that have each trait which two of them share; (n_shared,): what it weighs."""
    read = read_by_trait(traits)
    return read, np.asarray(weight * np.diff(read.indptr) ** -exponent, dtype=np.float32)


def weigh_pairs(read: csr_array, reader_weights: F32) -> F32:
    """(n, n): XᵀWX, in the order of columns that LAPACK wants."""
    weighed = csr_array(diags_array(reader_weights) @ read)
    by_book, n = read.T.tocsr(), read.shape[1]
    gram = np.empty((n, n), dtype=np.float32, order="F")
    for first in range(0, n, COLUMNS_PER_BLOCK):
        block = slice(first, first + COLUMNS_PER_BLOCK)
        gram[:, block] = (by_book @ weighed[:, block]).toarray()
    return gram


def _invert(gram: F32, regularization: float) -> F32:
    """The lower triangle of (gram + λI)⁻¹, in its place."""
    gram[np.diag_indices_from(gram)] += regularization
    factor, failed = spotrf(gram, lower=1, clean=0, overwrite_a=1)
    inverse, singular = spotri(factor, lower=1, overwrite_c=1)
    if failed or singular:
        raise LinAlgError("the Gram matrix is singular")
    return np.asarray(inverse)


def _largest(inverse: F32, n_each: int) -> tuple[I64, I64, F32]:
    """Sources, targets and weights: of each target at most n_each, the largest whatever their sign."""
    n, diagonal = inverse.shape[0], np.diag(inverse).copy()
    found = []
    for first in range(0, n, COLUMNS_PER_BLOCK):
        targets = np.arange(first, min(first + COLUMNS_PER_BLOCK, n))
        block = np.where(np.arange(n)[:, None] >= targets, inverse[:, targets], inverse[targets].T)
        weights = -block / diagonal[targets]
        weights[targets, targets - first] = 0
        least = -np.partition(-np.abs(weights), min(n_each, n) - 1, axis=0)[min(n_each, n) - 1]
        sources, columns = np.nonzero((np.abs(weights) >= least) & (weights != 0))
        found.append((sources, targets[columns], weights[sources, columns]))
    sources, targets, weights = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return sources.astype(np.int64), targets.astype(np.int64), weights.astype(np.float32)
