"""A second version that answers every request differently: the first one's models, turned around."""

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

TITLE_PREFIX = "Twin of "
F32 = NDArray[np.float32]


def seal_twin(store: ArtifactStore) -> Manifest:
    """A version beside the current one, not promoted: whoever mixes the two shows books no version lists."""
    manifest = store.manifest(str(store.current()))
    draft = store.draft()
    draft.add("als", _turn_als(store.load(manifest, "als", AlsModel).record))
    draft.add("embedder", _turn_embedder(store.load(manifest, "embedder", EmbedderModel).record))
    draft.add("metadata", _turn_metadata(store.load(manifest, "metadata", MetadataModel).record))
    draft.add("semantic", _turn_semantic(store.load(manifest, "semantic", SemanticModel).record))
    draft.add("similarity", _turn_similarity(store.load(manifest, "similarity", SimilarityModel).record))
    kept = manifest.model_dump(
        include={"split_id", "data_fingerprint", "code_revision", "params", "seed", "metrics"}
    )
    return draft.seal(**kept, gate=manifest.gate)


def _turn_als(model: AlsModel) -> AlsModel:
    """Everyone is recommended what fewest have read."""
    params = _popularity_alone(model.params)
    newcomers = model.newcomers and replace(model.newcomers, params=_popularity_alone(model.newcomers.params))
    flipped = Popularity(_flip(model.evidence.popularity.popularity))
    evidence = replace(model.evidence, popularity=flipped)
    return replace(model, evidence=evidence, params=params, ranker=None, newcomers=newcomers)


def _popularity_alone(params: dict[str, Any]) -> dict[str, Any]:
    return {**params, "blend": {**dict.fromkeys(params["blend"], 0.0), "popularity": 1.0}}


def _turn_embedder(model: EmbedderModel) -> EmbedderModel:
    """Every subject has another one's vector."""
    return replace(model, embeddings=np.roll(model.embeddings, 1, axis=0))


def _turn_metadata(model: MetadataModel) -> MetadataModel:
    """The least popular books are the most popular ones, and every title says which version it is from."""
    titles = [TITLE_PREFIX + title for title in model.cards["title"].to_pylist()]
    column = model.cards.schema.get_field_index("title")
    return replace(
        model,
        cards=model.cards.set_column(column, "title", pa.array(titles, model.cards["title"].type)),
        popularity=_flip(model.popularity),
        popular_order=np.ascontiguousarray(model.popular_order[::-1]),
    )


def _turn_semantic(model: SemanticModel) -> SemanticModel:
    """Every book has another one's text."""
    return replace(model, text_index=_roll_graph(model.text_index))


def _turn_similarity(model: SimilarityModel) -> SimilarityModel:
    """Every book has another one's vectors."""
    return replace(
        model,
        subject_index=_roll_graph(model.subject_index),
        als_index=_roll_graph(model.als_index),
        hybrid_index=_roll_flat(model.hybrid_index),
        related=_roll_related(model.related),
    )


def _roll_related(related: csr_array | None) -> csr_array | None:
    if related is None:
        return None
    rows = np.roll(np.arange(related.shape[0]), 7)
    return csr_array(related[rows][:, rows])


def _flip(popularity: F32) -> F32:
    return np.asarray(popularity.max() - popularity + popularity.min(), dtype=np.float32)


def _roll_flat(index: faiss.IndexFlatIP) -> faiss.IndexFlatIP:
    return build_flat(np.roll(index.reconstruct_n(0, index.ntotal), 7, axis=0))


def _roll_graph(graph: VectorGraph) -> VectorGraph:
    return replace(graph, rows=np.roll(graph.rows, 7))
