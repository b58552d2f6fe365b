"""How evidence is fitted for one source of ratings, and the search that found that: one file for each source.

`bookmesh tune` writes them to the home; those that come with a release are in `pipeline/parameters/`. What an
operator sets in the environment goes before both, what no file tells is as the classes have it.
"""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from catalog.database import Database
from catalog.demographics import find_main_source
from evidence.registry import EvidenceParams
from foundation.settings import Options
from pipeline.errors import ParametersUnreadable
from pipeline.settings import TrainSettings


class Search(Options):
    """How the parameters of one kind of evidence were found."""

    study: str
    """Its name in the home that it ran in: the source, the kind, and a digest of the catalog."""
    trials: int
    value: float
    """recall@30 + NDCG@10 of the kind alone on the inner fold, with the parameters found."""
    default_value: float
    """The same with those that it began with."""


class Hyperparameters(Options):
    """What is known of one source."""

    source: str
    release: str
    """That searched."""
    evidence: EvidenceParams
    searches: dict[str, Search]
    """By kind of evidence."""
    blend_recall: float
    """recall@30 on the inner fold of the blend of all kinds, with the parameters found."""
    default_blend_recall: float
    """The same with those that the search began with."""


def settle(settings: TrainSettings, db: Database) -> TrainSettings:
    """These settings with the hyper-parameters of the source that most ratings of the catalog come from.

    Raises ParametersUnreadable.
    """
    source = find_main_source(db)
    found = find_parameters(settings.tuning_path, source) if source is not None else None
    if found is None:
        return settings
    own = settings.train.evidence.model_dump(exclude_unset=True)
    merged = _merge(found.evidence.model_dump(exclude_unset=True), own)
    evidence = type(settings.train.evidence).model_validate(merged)
    train = settings.train.model_copy(update={"evidence": evidence})
    return settings.model_copy(update={"train": train})


def find_parameters(tuned: Path, source: str) -> Hyperparameters | None:
    """Those that the home has of a source, else those that come with the release."""
    for folder in (tuned, files("pipeline") / "parameters"):
        path = folder / f"{source}.json"
        if path.is_file():
            return _read(path)
    return None


def write_parameters(found: Hyperparameters, tuned: Path) -> Path:
    """Write the file of a source, whole or not at all."""
    path = tuned / f"{found.source}.json"
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(found.model_dump_json(indent=2, exclude_unset=True) + "\n")
    unfinished.replace(path)
    return path


def _read(path: Traversable) -> Hyperparameters:
    try:
        return Hyperparameters.model_validate_json(path.read_text("utf-8"))
    except ValidationError as error:
        first = error.errors()[0]
        reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise ParametersUnreadable(str(path), reason) from error


def _merge(found: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Values of `own` before those found, at any depth."""
    merged = dict(found)
    for name, value in own.items():
        both = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = _merge(merged[name], value) if both else value
    return merged
