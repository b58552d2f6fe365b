"""Versions that answer every request differently: the current one's models, turned around by a number."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import faiss
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import csr_array

from artifacts.manifest import Manifest
from artifacts.store import ArtifactStore
from evidence.popularity import Popularity
from pipeline.models.vector_index import build_flat
from servers.als.model import AlsModel
from servers.embedder.model import EmbedderModel
from servers.graph import VectorGraph
from servers.metadata.model import MetadataModel
from servers.semantic.model import SemanticModel
from servers.similarity.model import SimilarityModel

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]
Turn = Callable[[Any, int], Any]
"""Makes another model of one, by a number."""
STEP = 7
"""Books from one number to the next, so that lists of neighbours have few in common."""


def mark(number: int) -> str:
    """How every title of this twin begins."""
    return f"Twin {number} of "


def seal_twin(store: ArtifactStore, number: int = 1, **turns: Turn) -> Manifest:
    """A version beside the current one, not promoted: whoever mixes two shows books that no version lists.

    A server named in `turns` gets the model that this makes instead.
    """
    manifest = store.manifest(str(store.current()))
    draft = store.draft()
    for owner, (cls, turn) in MODELS.items():
        model = store.load(manifest, owner, cls).record
        draft.renew(manifest, owner, model, turns.get(owner, turn)(model, number))
    kept = manifest.model_dump(
        include={"split_id", "data_fingerprint", "code_revision", "params", "seed", "metrics"}
    )
    return draft.seal(**kept, gate=manifest.gate)


def _turn_als(model: AlsModel, number: int) -> AlsModel:
    """Everyone is recommended what fewest have read; the next number makes it other books."""
    params = _popularity_alone(model.params)
    newcomers = model.newcomers and replace(model.newcomers, params=_popularity_alone(model.newcomers.params))
    flipped = Popularity(_flip(model.evidence.popularity.popularity, number))
    evidence = replace(model.evidence, popularity=flipped)
    return replace(model, evidence=evidence, params=params, ranker=None, newcomers=newcomers)


def _popularity_alone(params: dict[str, Any]) -> dict[str, Any]:
    return {**params, "blend": {**dict.fromkeys(params["blend"], 0.0), "popularity": 1.0}}


def _turn_embedder(model: EmbedderModel, number: int) -> EmbedderModel:
    """Every subject has another one's vector."""
    return replace(model, embeddings=np.roll(model.embeddings, number, axis=0))


def _turn_metadata(model: MetadataModel, number: int) -> MetadataModel:
    """As als has it who is popular, and every title says which version it is from."""
    titles = [mark(number) + title for title in model.cards["title"].to_pylist()]
    column = model.cards.schema.get_field_index("title")
    return replace(
        model,
        cards=model.cards.set_column(column, "title", pa.array(titles, model.cards["title"].type)),
        popularity=_flip(model.popularity, number),
        popular_order=_flip_order(model.popular_order, number),
    )


def _turn_semantic(model: SemanticModel, number: int) -> SemanticModel:
    """Every book has another one's text."""
    return replace(model, text_index=_roll_graph(model.text_index, number))


def _turn_similarity(model: SimilarityModel, number: int) -> SimilarityModel:
    """Every book has another one's vectors."""
    return replace(
        model,
        subject_index=_roll_graph(model.subject_index, number),
        als_index=_roll_graph(model.als_index, number),
        hybrid_index=_roll_flat(model.hybrid_index, number),
        related=_roll_related(model.related, number),
    )


MODELS: Mapping[str, tuple[type[Any], Turn]] = {
    "als": (AlsModel, _turn_als),
    "embedder": (EmbedderModel, _turn_embedder),
    "metadata": (MetadataModel, _turn_metadata),
    "semantic": (SemanticModel, _turn_semantic),
    "similarity": (SimilarityModel, _turn_similarity),
}
"""What each server holds, and how a twin of it is made."""


def _roll_related(related: csr_array | None, number: int) -> csr_array | None:
    if related is None:
        return None
    rows = np.roll(np.arange(related.shape[0]), STEP * number)
    return csr_array(related[rows][:, rows])


def _flip(popularity: F32, number: int) -> F32:
    flipped = np.asarray(popularity.max() - popularity + popularity.min(), dtype=np.float32)
    return np.roll(flipped, STEP * (number - 1))


def _flip_order(popular_order: I32, number: int) -> I32:
    return (popular_order[::-1] + np.int32(STEP * (number - 1))) % np.int32(popular_order.size)


def _roll_flat(index: faiss.IndexFlatIP, number: int) -> faiss.IndexFlatIP:
    return build_flat(np.roll(index.reconstruct_n(0, index.ntotal), STEP * number, axis=0))


def _roll_graph(graph: VectorGraph, number: int) -> VectorGraph:
    return replace(graph, rows=np.roll(graph.rows, STEP * number))
