"""Step 6: learns who reads alike (ALS) and which books are read together (BM25 neighbours)."""

from dataclasses import dataclass

from scipy.sparse import csr_array

from foundation.arrays import F32
from pipeline.interactions import Fold
from pipeline.models.als import train_factors
from pipeline.models.neighbours import build_neighbours
from pipeline.progress import Advance
from pipeline.settings import AlsParams
from servers.als.model import build_gram


@dataclass(frozen=True, eq=False)
class Als:
    """Factors and item-item weights, in the order of the fold's book_ids."""

    item_factors: F32
    """(n_items, n_factors)."""
    gram: F32
    """YᵀY + λI, what fold-in needs of all books."""
    neighbours: csr_array
    """(n_items, n_items), rows are books of a history."""
    alpha: float


def learn_als(fold: Fold, *, params: AlsParams, seed: int, threads: int, advance: Advance) -> Als:
    """Train on the fold; users are folded in when they are served, so their factors are not kept."""
    _, item_factors = train_factors(
        fold.user_items, params=params, seed=seed, threads=threads, advance=advance
    )
    return Als(
        item_factors=item_factors,
        gram=build_gram(item_factors, params.regularization),
        neighbours=build_neighbours(fold.user_items, params=params),
        alpha=params.alpha,
    )
