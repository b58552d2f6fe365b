"""Which books speak for which others, from who read both and what they have in common, by BM25."""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from scipy.sparse import csr_array, vstack

from evidence.between_books import BetweenBooks
from evidence.kind import TrainingData
from evidence.traits import read_by_trait
from foundation.arrays import F64
from foundation.records import formerly
from foundation.settings import Options, Searched
from foundation.sparse import strongest_in_rows
from foundation.tools import Tools


class NeighboursParams(Options):
    """Weights between books."""

    n_neighbours: Annotated[PositiveInt, Searched(20, 300, log=True)] = 50
    source_exponent: Annotated[float, Field(ge=0, le=1), Searched(0, 1)] = 0.5
    """How far the weights of a widely read book of the history are damped."""
    bm25_k1: Annotated[PositiveFloat, Searched(0.1, 5, log=True)] = 0.4
    bm25_b: Annotated[float, Field(ge=0, le=1), Searched(0, 1)] = 0.2
    author_weight: Annotated[NonNegativeFloat, Searched(0, 10)] = 2.0
    """How many readers of all books of an author, and no others, each author counts as."""
    title_weight: Annotated[NonNegativeFloat, Searched(0, 5)] = 0.5
    """The same for the books with a word in their titles."""


@dataclass(frozen=True, eq=False)
class Neighbours(BetweenBooks[NeighboursParams]):
    """Item-item weights of BM25."""

    learned: ClassVar[bool] = True

    weights: csr_array = field(metadata=formerly("../../neighbours"))

    @classmethod
    def fit(cls, data: TrainingData, params: NeighboursParams, *, seed: int, tools: Tools) -> Self:
        by_author = read_by_trait(data.book_authors) * np.float32(params.author_weight)
        by_word = read_by_trait(data.title_words) * np.float32(params.title_weight)
        read = csr_array(vstack([data.user_items, by_author, by_word]))
        read.eliminate_zeros()  # of a weight of 0
        return cls(build_neighbours(read, params=params))


def build_neighbours(user_items: csr_array, *, params: NeighboursParams) -> csr_array:
    """(n, n): N[h, j] = <w_h, w_j> / norm_h^exponent for the n_neighbours best h of each j.

    w are BM25 weights; rows are books of a history, columns the books that they speak for.
    """
    weights = weigh_bm25(user_items, k1=params.bm25_k1, b=params.bm25_b)
    norms = np.sqrt(np.asarray(weights.multiply(weights).sum(axis=1)).ravel())
    # A book with one reader has a tiny norm; without the floor such books would speak loudest.
    damped = (norms + norms.mean() / 2) ** -params.source_exponent
    scaled = csr_array(weights.multiply(damped[:, None]))
    by_target = strongest_in_rows(weights, scaled.T.tocsr(), params.n_neighbours)
    return csr_array(by_target.T.tocsr())


def weigh_bm25(user_items: csr_array, *, k1: float, b: float) -> csr_array:
    """(n, n_users): w = (k1 + 1) / (k1 · (1 − b + b · readers / mean) + 1) · idf of the user.

    Robertson & Zaragoza 2009, with books as documents and their readers as terms: idf is ln(n / (1 + books of
    the user)), at least 0, so that whoever reads everything says nothing. A pair of less weight is as much of
    a reader, and of a book.
    """
    item_users = user_items.T.tocsr().astype(np.float64)
    n_items = item_users.shape[0]
    n_readers, n_books = item_users.sum(axis=1), item_users.sum(axis=0)
    idf: F64 = np.maximum(0.0, np.log(n_items) - np.log1p(n_books))
    saturation = (k1 + 1) / (k1 * ((1 - b) + b * n_readers / n_readers.mean()) + 1)
    item_users.data *= np.repeat(saturation, np.diff(item_users.indptr)) * idf[item_users.indices]
    return item_users
