"""The learned ranker: reorders what the blend puts first, by what each kind of evidence says of a book.

What it looks at follows from the kinds that a version has, so that a new kind is part of it by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from foundation.arrays import F32, I64
from servers.als.trees import Trees


class Candidates(NamedTuple):
    """The books that the blend puts first for a reader."""

    item_idx: I64
    """(n,): rows of the model, best first."""
    features: F32
    """(n, n_features), as `build_features` has them."""


BLEND: Final = 0
"""The column of features that is the score of the blend."""
BLEND_WEIGHT: Final = 2.0
"""What the blend's scores count beside the trees, which say by how much it errs."""


@dataclass(frozen=True, eq=False)
class Ranker:
    """Trees over the features of candidates, which correct the blend."""

    trees: Trees
    n_candidates: int
    """How many of the blend's best books are reordered."""
    kinds: list[str]
    """The kinds of evidence that it was trained on, in the order of the features."""
    blend_weight: float
    """`BLEND_WEIGHT` when it was trained."""
    figures: list[str] = field(default_factory=list)
    """The figures of books that it was trained on, which are the last features; none before 0.8.0."""

    def order(self, features: F32) -> I64:
        """(n,): places of these candidates, best first; among equals the blend's order stays."""
        scores = self.blend_weight * features[:, BLEND] + self.trees.score(features)
        return np.argsort(-scores, kind="stable")


def build_features(scores: F32, blended: F32, n_read: int, figures: F32) -> F32:
    """(n, 2 · n_kinds + 3 + n_figures): what is known of n candidates for one reader.

    Of the blend, (n,), its score and how many candidates it puts higher; of each kind, (n_kinds, n) in the
    units of the blend, the same; how many books the history has, as a logarithm; and figures of each book,
    (n, n_figures), less their means over the books of the history.
    """
    n_kinds, n = scores.shape
    # Those of one feature side by side, as trees read them.
    features = np.empty((2 * n_kinds + 3 + figures.shape[1], n), dtype=np.float32)
    features[0], features[1] = blended, count_higher(blended)
    features[2 : n_kinds + 2] = scores
    for at, of_kind in enumerate(scores, n_kinds + 2):
        features[at] = count_higher(of_kind)
    features[2 * n_kinds + 2] = np.log1p(n_read)
    features[2 * n_kinds + 3 :] = figures.T
    return features.T


def list_directions(is_personal: Sequence[bool], n_figures: int = 0) -> list[int]:
    """(n_features,): 1 where more of a feature must never rank a book lower, −1 higher, 0 where either may.

    A kind that comes from books of the history is personal: a better rating of such a book raises its scores.
    """
    more = [int(each) for each in is_personal]
    return [1, -1, *more, *(-each for each in more), 0, *[0] * n_figures]


def count_higher(scores: F32) -> I64:
    """(n,): how many of the scores are higher than each."""
    wanted = -scores
    ordered = wanted.copy()
    ordered.sort()
    return ordered.searchsorted(wanted)
