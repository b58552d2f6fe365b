"""A version small enough to know by heart: twelve books, half about space, half about soup, two an author."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import csr_array

from artifacts.manifest import GateCheck, GateVerdict
from artifacts.store import ArtifactStore
from contracts.shell import ServerName
from evidence.als import Als, build_gram
from evidence.authors import Authors
from evidence.neighbours import Neighbours
from evidence.popularity import Popularity
from evidence.registry import Evidence
from pipeline.models.text_index import build_text_index
from pipeline.models.vector_index import build_flat, build_graph
from pipeline.settings import IndexParams
from servers.als.model import AlsModel
from servers.als.newcomers import Newcomers
from servers.embedder.model import EmbedderModel
from servers.graph import VectorGraph
from servers.metadata.model import MetadataModel
from servers.metadata.text_index import TextIndex
from servers.semantic.model import SemanticModel, TfidfSvdEncoder
from servers.similarity.model import SimilarityModel

BOOK_IDS = np.arange(11, 143, 11)
SPACE_IDS, SOUP_IDS = BOOK_IDS[:6].tolist(), BOOK_IDS[6:].tolist()
N = BOOK_IDS.size
ANONYMOUS_ID = int(BOOK_IDS[-1])
"""A book without an author."""
AUTHOR_IDS = np.arange(1, N // 2 + 1)
CLUBS = np.repeat([0, 1], 6)
DIM = 4
TITLES = [
    "The Left Hand of Space",
    "A Space Odyssey",
    "Spaceways",
    "Solaris",
    "Ender's Planet",
    "Planet of Exile",
    "Soup for Everyone",
    "The Joy of Soup",
    "Broth",
    "Onions and Leeks",
    "García's Kitchen",
    "Cold Soup",
]
TRAITS = ["age_group=25-34", "country=portugal", "gender=female", "occupation=librarian"]
N_RATINGS = np.arange(N, 0, -1) * 10
CHECK = GateCheck(
    name="recall_over_popularity",
    value=0.071,
    threshold=0.0,
    passed=True,
    detail="of 300 readers",
    mean=0.083,
    interval=(0.071, 0.095),
    n_readers=300,
)
"""How the gate has judged every version."""


def club_vectors(seed: int) -> NDArray[np.float32]:
    """(N, DIM) unit vectors; those of one club lie close together, those of two nearly at right angles."""
    rng = np.random.default_rng(seed)
    vectors = np.eye(2, DIM)[CLUBS] + rng.normal(scale=0.1, size=(N, DIM))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def popularity(counts: NDArray[np.int64] = N_RATINGS) -> NDArray[np.float32]:
    return (np.log1p(counts) / np.log1p(counts.max())).astype(np.float32)


def als_model(seed: int) -> AlsModel:
    factors = club_vectors(seed)
    return AlsModel(
        book_ids=BOOK_IDS,
        evidence=Evidence(
            als=Als(factors, build_gram(factors, 0.1), {"alpha": 16.0}),
            neighbours=Neighbours(csr_array((CLUBS[:, None] == CLUBS).astype("f4") - np.eye(N, dtype="f4"))),
            authors=Authors(
                csr_array((np.arange(N)[:, None] // 2 == np.arange(N // 2)).astype("f4")), AUTHOR_IDS
            ),
            popularity=Popularity(popularity()),
        ),
        params={"blend": {"als": 0.4, "neighbours": 0.3, "authors": 0.2, "popularity": 0.1}},
        newcomers=newcomers(),
    )


def newcomers() -> Newcomers:
    """Who loves a subject loves the books of its club; whoever has one of the traits, those of space."""
    effects = np.eye(2, DIM, dtype=np.float32)[[0, 1, *[0] * len(TRAITS)]]
    return Newcomers(
        subjects=["Space", "Soup"],
        author_ids=np.empty(0, dtype=np.int64),
        traits=TRAITS,
        effects=effects,
        means=np.zeros((2 + len(TRAITS), DIM), dtype=np.float32),
        base=np.zeros(DIM, dtype=np.float32),
        params={
            "blend": {"taste": 0.6, "authors": 0.3, "popularity": 0.1},
            "units": {"taste": 1.0, "authors": 1.0, "popularity": 1.0},
        },
    )


def embedder_model(seed: int = 1) -> EmbedderModel:
    return EmbedderModel(
        subjects=["Space", "Soup"],
        embeddings=np.eye(2, DIM, dtype=np.float32),
        attention_weight=np.zeros((DIM, DIM), dtype=np.float32),
        attention_bias=np.full(DIM, seed, dtype=np.float32),  # the same for all subjects: it moves no weight
    )


def similarity_model(seed: int, *, without_als: int | None = None) -> SimilarityModel:
    """`without_als` is the row of a book that no reader has rated, so that it has no ALS vector."""
    subject, als = club_vectors(1), club_vectors(seed)
    if without_als is not None:
        als[without_als] = 0
    return SimilarityModel(
        book_ids=BOOK_IDS,
        subject_index=_graph(subject),
        als_index=_graph(als),
        hybrid_index=build_flat(np.hstack([subject, als])),
        dims={"subject": DIM, "als": DIM},
        related=csr_array((CLUBS[:, None] == CLUBS) * np.float32(0.2) - 0.2 * np.eye(N, dtype="f4")),
    )


def cards() -> pa.Table:
    """Cards with the columns and types of the contract."""
    columns: dict[str, Any] = {
        "book_id": pa.array(BOOK_IDS, pa.int64()),
        "title": TITLES,
        "authors": [[f"Author {'ABCDEF'[row // 2]}mos"] for row in range(N - 1)] + [[]],
        "year": pa.array([1950 + row for row in range(N - 1)] + [None], pa.int32()),
        "language": ["en"] * N,
        "isbns": [["9780000000002"]] * N,
        "main_subject": [("Space", "Soup")[club] for club in CLUBS],
        "subjects": [[("Space", "Soup")[club]] for club in CLUBS],
        "description": pa.array([None] * N, pa.string()),
        "n_ratings": pa.array(N_RATINGS, pa.int64()),
        "mean_rating": [7.5] * N,
        "n_pages": pa.array([200] * (N - 1) + [None], pa.int64()),
    }
    return pa.table(columns)


def metadata_model(text_folder: Path, seed: int = 1) -> MetadataModel:
    # A text index names its files at random: the same folder must be published again to be the same object.
    if not text_folder.exists():
        text_folder.mkdir(parents=True)
        build_text_index(cards(), popularity(), text_folder)
    return MetadataModel(
        cards=cards(),
        popularity=popularity() / np.float32(seed),
        popular_order=np.arange(N, dtype=np.int32),
        subjects=["Space", "Soup"],
        subject_books=csr_array((np.arange(2)[:, None] == CLUBS[None, :]).astype(np.float32)),
        text_index=TextIndex(text_folder),
    )


def semantic_model(seed: int = 1) -> SemanticModel:
    idf = np.full(2, seed, dtype=np.float32)
    encoder = TfidfSvdEncoder(terms=["planet", "soup"], idf=idf, components=np.eye(2, dtype=np.float32))
    texts = np.eye(2, dtype=np.float32)[CLUBS]
    return SemanticModel(book_ids=BOOK_IDS, encoder=encoder, text_index=_graph(texts))


def publish(store: ArtifactStore, scratch: Path, *, seed: int = 1, promote: bool = True) -> str:
    """Seal a version of all five models; another seed changes an object or two of each, not the rest."""
    draft = store.draft()
    draft.add("als", als_model(seed))
    draft.add("embedder", embedder_model(seed))
    draft.add("similarity", similarity_model(seed))
    draft.add("metadata", metadata_model(scratch / "text", seed))
    draft.add("semantic", semantic_model(seed))
    version = draft.seal(
        split_id="tiny",
        data_fingerprint="tiny",
        code_revision="tests",
        params={},
        seed=seed,
        metrics={},
        gate=GateVerdict.of(CHECK),
    ).version
    if promote:
        store.promote(version, by="tests", why="published")
    return version


def damage(store: ArtifactStore, version: str, owner: ServerName, *, not_in: str) -> str:
    """Flip a byte of an object that one owner has in this version, but not in that; return its name."""
    shared = {entry.digest for entry in store.manifest(not_in).objects}
    fresh = [entry for entry in store.manifest(version).owned_by(owner) if entry.digest not in shared]
    path = store.objects.path(fresh[0].digest)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    return fresh[0].name


def _graph(vectors: NDArray[np.float32]) -> VectorGraph:
    return build_graph(vectors, IndexParams(hnsw_links=8, ef_construction=40, ef_search=16))
