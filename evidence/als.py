"""Who reads alike: factors of implicit-feedback ALS, and a fold-in for whoever has a history."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Any, ClassVar, Final, Self

import numpy as np
from numpy.linalg import LinAlgError
from pydantic import Field, PositiveFloat, PositiveInt
from scipy.linalg.lapack import sposv
from scipy.sparse import csr_array, csr_matrix

from evidence.kind import TINY, Found, History, Kind, Products, Scored, TrainingData, largest_outside
from foundation.arrays import F32, F64, I64, place_rows, top_k
from foundation.records import formerly
from foundation.settings import Options, Searched
from foundation.tools import Advance, Tools

N_LONGEST: Final = 8192
"""Books that may have one of the largest products with a reader: of 250,000 books no list needed the
6,000th (docs/adr/0024-lists-from-candidates.md)."""
SAME: Final = 0.05
"""Of their length, by which factors of one training and of another by the same seed may differ.

On one machine they are the same bytes; where sums are rounded otherwise, .985 of Book-Crossing's are as near.
"""


class AlsParams(Options):
    """Training of the factors."""

    n_factors: Annotated[PositiveInt, Searched(32, 256, log=True)] = 128
    alpha: Annotated[PositiveFloat, Searched(2, 64, log=True)] = 16.0
    regularization: Annotated[PositiveFloat, Searched(5, 200, log=True)] = 80.0
    n_iterations: Annotated[int, Field(ge=3)] = 15
    """Of fewer, the factors are still about where they were drawn."""


@dataclass(frozen=True, eq=False)
class Als(Kind[AlsParams]):
    """Item factors; users are folded in when they are served, so their factors are not kept."""

    learned: ClassVar[bool] = True

    item_factors: F32 = field(metadata=formerly("../../item_factors"))
    """(n, n_factors)."""
    gram: F32 = field(metadata=formerly("../../gram"))
    """YᵀY + λI, what fold-in needs of all books."""
    params: dict[str, Any] = field(metadata=formerly("../../params"))
    """`alpha` of the fold-in."""

    @classmethod
    def fit(cls, data: TrainingData, params: AlsParams, *, seed: int, tools: Tools) -> Self:
        _, item_factors = train_factors(
            data.user_items, params=params, seed=seed, threads=tools.threads, advance=tools.advance
        )
        return cls(item_factors, build_gram(item_factors, params.regularization), {"alpha": params.alpha})

    @property
    def n_items(self) -> int:
        """n."""
        return int(self.item_factors.shape[0])

    def head(self, popularity: F32) -> I64:
        """Those of the longest factors: a product with short ones is small."""
        return top_k(np.einsum("if,if->i", self.item_factors, self.item_factors), N_LONGEST)

    def find(self, history: History) -> Found:
        """Inner products with the factors of whoever has this history."""
        [user_factors] = self._fold_in(history.item_idx, history.weights[None])
        return Products(self.item_factors, user_factors)

    def score(self, history: History) -> Scored:
        """Every book."""
        weights = np.stack([history.weights, np.ones_like(history.weights)])
        rated, unrated = self._fold_in(history.item_idx, weights)
        scores = np.asarray(self.item_factors @ rated)
        # The largest score without ratings would take a second product with all factors; lengths tell enough.
        growth = float(np.linalg.norm(unrated)) / max(float(np.linalg.norm(rated)), TINY)
        return Scored(scores, largest_outside(np.abs(scores), history) * growth)

    def spread(self, rows: I64, n_items: int) -> Self:
        """The same factors; what fold-in needs of all books comes from those that were read."""
        return replace(self, item_factors=place_rows(self.item_factors, rows, n_items))

    def explain(self, history: History, asked: I64) -> F64:
        """The terms of the fold-in's sum: Hu, Koren & Volinsky 2008, section 5."""
        alpha = self.params["alpha"]
        read = self.item_factors[history.item_idx]
        inverse = np.linalg.inv(self.gram + (alpha - 1) * (read.T @ read))
        return np.asarray((self.item_factors[asked] @ inverse @ read.T) * (alpha * history.weights))

    def _fold_in(self, item_idx: I64, weights: F32) -> F32:
        alpha = self.params["alpha"]
        if 0 < item_idx.size <= self.gram.shape[0] // 2:
            return fold_in_few(self.item_factors, self._inverse, item_idx, weights, alpha=alpha)
        return fold_in(self.item_factors, self.gram, item_idx, weights, alpha=alpha)

    @cached_property
    def _inverse(self) -> F32:
        return np.linalg.inv(self.gram.astype(np.float64)).astype(np.float32)


def train_factors(
    user_items: csr_array, *, params: AlsParams, seed: int, threads: int, advance: Advance
) -> tuple[F32, F32]:
    """User and item factors, (n, n_factors), of implicit-feedback ALS: confidence alpha for a book read."""
    # The als server imports this module, and has no use for what trains.
    from implicit.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    # `implicit` runs its own threads; BLAS threads below them slow it down and reorder its sums.
    with threadpool_limits(limits=1, user_api="blas"):
        model = AlternatingLeastSquares(
            factors=params.n_factors,
            alpha=params.alpha,
            regularization=params.regularization,
            iterations=params.n_iterations,
            random_state=seed,
            num_threads=threads,
        )
        model.fit(
            csr_matrix(user_items),
            show_progress=False,
            callback=lambda done, *_: advance((done + 1) / params.n_iterations),
        )
    return np.asarray(model.user_factors), np.asarray(model.item_factors)


def measure_repeated(
    item_factors: F32, user_items: csr_array, *, params: AlsParams, seed: int, tools: Tools
) -> float:
    """Share of the items whose factors are those that the same training gives once more.

    It is 1 after a whole training, whatever its parameters; about 0 after one that broke off half way.
    """
    _, again = train_factors(
        user_items, params=params, seed=seed, threads=tools.threads, advance=tools.advance
    )
    lengths = np.maximum(*(np.linalg.norm(each, axis=1) for each in (item_factors, again)))
    return float(np.mean(np.linalg.norm(again - item_factors, axis=1) <= SAME * lengths))


def build_gram(item_factors: F32, regularization: float) -> F32:
    """YᵀY + λI, (n_factors, n_factors)."""
    ridge = regularization * np.eye(item_factors.shape[1], dtype=np.float32)
    return np.asarray(item_factors.T @ item_factors + ridge, dtype=np.float32)


def fold_in(item_factors: F32, gram: F32, item_idx: I64, preferences: F32, *, alpha: float) -> F32:
    """Factors (n_users, n_factors) for unseen users who read the same: Hu, Koren & Volinsky 2008, equation 4.

    preferences are (n_users, n_read), what each thinks of each book, below 0 for a disliked one. All have the
    same confidence: alpha, as `implicit` has it, not 1 + alpha. So the factors are linear in the preferences.
    Raises LinAlgError if gram is singular.
    """
    read = item_factors[item_idx]
    # An unread book has confidence 1, so gram already holds its share; only rows that were read correct it.
    correction = (alpha - 1) * (read.T @ read)
    _, factors, n_failed = sposv(gram + correction, (alpha * preferences @ read).T)
    if n_failed:
        raise LinAlgError("gram is singular")
    return np.asarray(factors.T)


def fold_in_few(item_factors: F32, inverse: F32, item_idx: I64, preferences: F32, *, alpha: float) -> F32:
    """What `fold_in` gives, from the inverse of its gram: for few books a fraction of the work.

    Woodbury's identity: what is solved has as many unknowns as books were read. Raises LinAlgError if gram is
    singular.
    """
    read = item_factors[item_idx]
    solved = read @ inverse
    system = (alpha - 1) * (solved @ read.T)
    system.flat[:: item_idx.size + 1] += 1
    _, shares, n_failed = sposv(system, alpha * preferences.T)
    if n_failed:
        raise LinAlgError("gram is singular")
    return np.asarray(shares.T @ solved)
