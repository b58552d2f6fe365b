"""What a version keeps of its train fold: the models that never saw what is held out, for nights to come."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from foundation.arrays import F32, I64
from pipeline.models.ranking import build_als_model
from pipeline.steps.s1_export import Export
from pipeline.steps.s3_split import Split
from pipeline.steps.s4_aggregate import Aggregates
from pipeline.steps.s5_subjects import Subjects
from pipeline.steps.s6_als import Als
from pipeline.steps.s7_ranker import Blend
from pipeline.steps.s8_index import pool_books
from servers.als.model import EVIDENCE, AlsModel
from servers.embedder.model import EmbedderModel

GATE_OWNER: Final = "gate"
"""Owner of the fold models in a manifest; no server has that name."""
LEARNED: Final = ("als", "neighbours")
"""Evidence that is learned from ratings; the rest is counted."""


@dataclass(frozen=True, eq=False)
class FoldModels:
    """Models of the train fold. The served ones are refit on all data, so their recall cannot be measured."""

    als: AlsModel
    embedder: EmbedderModel
    book_vectors: F32
    """(n, dim): pooled subjects of als.book_ids."""
    reader_ids: I64
    """Readers with held-out books, ascending: of others the models may have seen what is held out by now."""


def build_fold_models(
    folds: Split, catalog: Export, aggregates: Aggregates, subjects: Subjects, als: Als, blend: Blend
) -> FoldModels:
    """The models of the train fold, as steps 4 to 7 left them."""
    book_ids = folds.train.book_ids
    return FoldModels(
        als=build_als_model(folds.train, als, aggregates, catalog, blend.weights),
        embedder=subjects.embedder,
        book_vectors=pool_books(subjects.embedder, catalog, book_ids),
        reader_ids=np.unique(folds.held_out.user_ids),
    )


def drop_learned(model: AlsModel) -> AlsModel:
    """The same model with the learned evidence left out; popularity alone if nothing else is left."""
    blend = model.params["blend"]
    kept = {kind: 0.0 if kind in LEARNED else blend[kind] for kind in EVIDENCE}
    total = sum(kept.values())
    kept = {kind: weight / total for kind, weight in kept.items()} if total else {**kept, "popularity": 1.0}
    return replace(model, params={**model.params, "blend": kept})
