"""What a version keeps of its train fold: the models that never saw what is held out, for nights to come."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from evidence.registry import Evidence
from foundation.arrays import F32, I64
from pipeline.models.vector_index import pool_books
from pipeline.records import Export, Fold, Split
from servers.als.model import AlsModel
from servers.als.newcomers import Newcomers
from servers.als.ranker import Ranker
from servers.embedder.model import EmbedderModel

GATE_OWNER: Final = "gate"
"""Owner of the fold models in a manifest; no server has that name."""


@dataclass(frozen=True, eq=False)
class FoldModels:
    """Models of the train fold. The served ones are refit on all data, so their recall cannot be measured."""

    als: AlsModel
    embedder: EmbedderModel
    book_vectors: F32
    """(n, dim): pooled subjects of als.book_ids."""
    reader_ids: I64
    """Readers with held-out books, ascending: of others the models may have seen what is held out by now."""


BlendParams = dict[str, dict[str, float]]
"""The `params` of an AlsModel."""


def build_als(
    fold: Fold,
    evidence: Evidence,
    blend: BlendParams,
    ranker: Ranker | None = None,
    newcomers: Newcomers | None = None,
) -> AlsModel:
    """Evidence of a fold's books, blended, and the best of them reordered."""
    return AlsModel(fold.book_ids, evidence, blend, fold.is_shown, ranker=ranker, newcomers=newcomers)


def build_fold_models(
    folds: Split,
    catalog: Export,
    embedder: EmbedderModel,
    evidence: Evidence,
    blend: BlendParams,
    ranker: Ranker | None,
    newcomers: Newcomers | None = None,
) -> FoldModels:
    """The models of the train fold, as steps 4 to 7 left them."""
    return FoldModels(
        als=build_als(folds.train, evidence, blend, ranker, newcomers),
        embedder=embedder,
        book_vectors=pool_books(embedder, catalog, folds.train.book_ids),
        reader_ids=np.unique(folds.held_out.user_ids),
    )
