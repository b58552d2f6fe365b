"""Small records of every kind of value, and the shortest ways to publish them."""

from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import csr_array

from artifacts.formats import Folder
from artifacts.manifest import GateCheck, GateVerdict, Manifest
from artifacts.store import ArtifactStore, Draft

PASSED = GateVerdict(passed=True)
REFUSED = GateVerdict(
    passed=False,
    checks=(GateCheck(name="recall@30", value=0.01, threshold=0.03, passed=False, detail="below the floor"),),
)


@dataclass(frozen=True)
class Point:
    """The smallest record."""

    at: NDArray[np.float32]


@dataclass(frozen=True)
class Encoder:
    """A record within a record."""

    terms: list[str]
    idf: NDArray[np.float32]


@dataclass(frozen=True)
class Model:
    """One value of each kind."""

    factors: NDArray[np.float32]
    neighbours: csr_array
    cards: pa.Table
    index: faiss.Index
    texts: Folder
    params: dict[str, object]
    encoder: Encoder
    fallback: Encoder | None


def build_model(folder: Path, seed: int = 0) -> Model:
    """Return a model whose values depend on seed, but for its parameters; its folder value is in folder."""
    rng = np.random.default_rng(seed)
    vectors = rng.random((12, 4), dtype=np.float32)
    index = faiss.IndexFlatIP(4)
    index.add(vectors)
    (folder / "deep").mkdir(parents=True, exist_ok=True)
    (folder / "a.txt").write_text(f"first of {seed}")
    (folder / "deep" / "b.txt").write_text(f"second of {seed}")
    return Model(
        factors=vectors,
        neighbours=csr_array(rng.random((5, 5), dtype=np.float32) * (rng.random((5, 5)) < 0.4)),
        cards=pa.table(
            {"book_id": [1, 2, 3], "title": [f"Book {seed}", None, "é"], "authors": [["a"], [], ["b"]]}
        ),
        index=index,
        texts=Folder(folder),
        params={"alpha": 40, "tuned": None},
        encoder=Encoder([f"word{seed}", "другое"], rng.random(2, dtype=np.float32)),
        fallback=None,
    )


def seal(
    store: ArtifactStore,
    record: object,
    *,
    owner: str = "als",
    gate: GateVerdict = PASSED,
    refresh_of: str | None = None,
) -> Manifest:
    """Seal a version that holds one record."""
    draft = store.draft()
    draft.add(owner, record)
    return seal_draft(draft, gate=gate, refresh_of=refresh_of)


def seal_draft(draft: Draft, *, gate: GateVerdict = PASSED, refresh_of: str | None = None) -> Manifest:
    """Seal what a draft holds."""
    return draft.seal(
        split_id="split",
        data_fingerprint="data",
        code_revision="code",
        params={"als": {"alpha": 40}},
        seed=1,
        metrics={"recall@30": 0.05},
        gate=gate,
        refresh_of=refresh_of,
    )


def seal_point(store: ArtifactStore, x: float, *, gate: GateVerdict = PASSED) -> Manifest:
    """Seal a version whose one array is [x]."""
    return seal(store, Point(np.array([x], dtype=np.float32)), gate=gate)


def publish_point(store: ArtifactStore, x: float) -> str:
    """Seal and promote a version whose one array is [x]; return its name."""
    return store.promote(seal_point(store, x).version, by="test", why=f"point {x}").version


def refresh_point(store: ArtifactStore, trained: str, x: float) -> str:
    """Seal and promote a refresh of a trained version, whose one array is [x]; return its name."""
    manifest = seal(store, Point(np.array([x], dtype=np.float32)), refresh_of=trained)
    return store.promote(manifest.version, by="test", why=f"books {x}").version
