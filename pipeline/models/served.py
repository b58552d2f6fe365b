"""The models of one version, as the five servers answer from them."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import get_type_hints

import faiss
import numpy as np
from scipy.sparse import csr_array

from artifacts.manifest import Manifest
from artifacts.store import ArtifactStore
from foundation.arrays import F16, F32
from servers.als.model import AlsModel
from servers.embedder.model import EmbedderModel
from servers.graph import view_vectors
from servers.metadata.model import MetadataModel
from servers.semantic.model import SemanticModel
from servers.similarity.model import SimilarityModel


@dataclass(frozen=True, eq=False)
class Served:
    """The models of the five servers."""

    embedder: EmbedderModel
    similarity: SimilarityModel
    als: AlsModel
    metadata: MetadataModel
    semantic: SemanticModel


def open_served(store: ArtifactStore, manifest: Manifest) -> Served:
    """A version's models; raises ArtifactError."""
    owners = get_type_hints(Served)
    return Served(**{owner: store.load(manifest, owner, model).record for owner, model in owners.items()})


def list_arrays(name: str, value: object) -> Iterator[tuple[str, F16 | F32]]:
    """Every array of floats in a record, by its path."""
    match value:
        case np.ndarray() if value.dtype.kind == "f":
            yield name, value
        case csr_array():
            yield from list_arrays(name, value.data)
        case faiss.IndexFlatCodes():
            yield name, view_vectors(value)
        case _ if is_dataclass(value):
            for each in fields(value):
                yield from list_arrays(f"{name}/{each.name}".lstrip("/"), getattr(value, each.name))
