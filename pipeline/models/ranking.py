"""Puts the parts of the als server's model together, the same for tuning, for the gate and for serving."""

import numpy as np
from scipy.sparse import csr_array, diags_array

from pipeline.books import collect_authors
from pipeline.interactions import Fold
from pipeline.steps.s1_export import Export
from pipeline.steps.s4_aggregate import Aggregates
from pipeline.steps.s6_als import Als
from servers.als.model import EVIDENCE, AlsModel

EVEN_BLEND = dict.fromkeys(EVIDENCE, 1 / len(EVIDENCE))
"""For a model of which only the evidence is wanted."""


def build_als_model(
    fold: Fold, als: Als, aggregates: Aggregates, catalog: Export, blend: dict[str, float]
) -> AlsModel:
    """The model that the als server loads, over the fold's books."""
    readers = diags_array(np.sqrt(aggregates.counts).astype(np.float32))
    return AlsModel(
        book_ids=fold.book_ids,
        item_factors=als.item_factors,
        gram=als.gram,
        neighbours=als.neighbours,
        book_authors=csr_array(readers @ collect_authors(catalog.book_authors, fold.book_ids)),
        popularity=aggregates.popularity,
        params={"alpha": als.alpha, "blend": blend},
    )
