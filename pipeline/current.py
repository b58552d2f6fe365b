"""The version in production as today's folds can judge it: as it was sealed, or fitted anew."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from pydantic import TypeAdapter, ValidationError

from artifacts.errors import ArtifactError
from artifacts.manifest import Manifest
from artifacts.store import ArtifactStore
from evidence.registry import Evidence, EvidenceParams
from pipeline.errors import CannotCompare
from pipeline.models.fold_models import GATE_OWNER, BlendParams, FoldModels
from pipeline.ranking.newcomers import NewcomerBlend
from pipeline.records import Split
from pipeline.settings import SubjectsParams
from servers.als.model import AlsModel
from servers.als.ranker import Ranker

MIN_SHARED_READERS: Final = 0.5
"""Share of today's held-out readers that a sealed version must know, or who is measured says little of it."""
_WEIGHTS: Final = TypeAdapter(dict[str, float])


@dataclass(frozen=True, eq=False)
class Current:
    """The version in production, and how the candidate is compared with it."""

    version: str | None
    """None before the first promotion."""
    rival: FoldModels | None
    """None where there is nothing to compare with."""
    how: str
    """In words, for the report."""


@dataclass(frozen=True)
class Recipe:
    """What it takes to fit a version's models again, and to order lists as it does."""

    version: str
    subjects: SubjectsParams
    evidence: EvidenceParams
    blend: BlendParams
    ranker: Ranker | None
    """As it was sealed: it was made to order what evidence fitted to other ratings puts first."""
    newcomers: NewcomerBlend | None
    """None where subject vectors alone speak for readers without a history, as before 0.7.0."""
    seed: int


def open_sealed(store: ArtifactStore, version: str, folds: Split) -> FoldModels:
    """A version's models of its own train fold; CannotCompare if these folds cannot judge them."""
    try:
        manifest = store.manifest(version)
        if manifest.split_id != folds.split_id:
            raise CannotCompare(f"it was split as {manifest.split_id}, this candidate as {folds.split_id}")
        models = store.load(manifest, GATE_OWNER, FoldModels).record
    except ArtifactError as error:
        raise CannotCompare(str(error)) from error
    shared = np.isin(np.unique(folds.held_out.user_ids), models.reader_ids).mean()
    if shared < MIN_SHARED_READERS:
        raise CannotCompare(f"it knows {shared:.0%} of the readers that are held out now")
    return models


def read_recipe(store: ArtifactStore, version: str) -> Recipe:
    """What a version was fitted by; CannotCompare if this release cannot read that."""
    try:
        manifest = store.manifest(version)
        served = _read_served(store, manifest)
        recipe = Recipe(
            version,
            SubjectsParams.model_validate(manifest.params["subjects"]),
            EvidenceParams.model_validate(manifest.params["evidence"]),
            _read_blend(manifest),
            served.ranker if served else None,
            NewcomerBlend(served.newcomers.params, np.nan) if served and served.newcomers else None,
            manifest.seed,
        )
    except ArtifactError as error:
        raise CannotCompare(str(error)) from error
    except (KeyError, ValidationError) as error:
        reason = f"its manifest has no parameters that this release can fit by ({type(error).__name__})"
        raise CannotCompare(reason) from error
    return recipe


def _read_served(store: ArtifactStore, manifest: Manifest) -> AlsModel | None:
    """None where the served models are damaged: such a version is compared by its blend alone."""
    try:
        return store.load(manifest, "als", AlsModel).record
    except ArtifactError:
        return None


def _read_blend(manifest: Manifest) -> BlendParams:
    # Before 0.7.0 there were no units.
    known = [name for name in ("blend", "units") if name == "blend" or name in manifest.metrics]
    blend: BlendParams = {name: _WEIGHTS.validate_python(manifest.metrics[name]) for name in known}
    if unknown := set(blend["blend"]) - set(Evidence.classes()):
        raise CannotCompare(f"it blends kinds of evidence that this release lacks: {', '.join(unknown)}")
    return blend
