"""The kinds of evidence that a list is blended from: a new kind is one file and one field here."""

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Self, get_args, get_type_hints

from evidence.als import Als, AlsParams
from evidence.authors import Authors
from evidence.kind import Kind, TrainingData
from evidence.neighbours import Neighbours, NeighboursParams
from evidence.popularity import Popularity
from foundation.tools import Tools


class EvidenceParams(AlsParams, NeighboursParams):
    """Parameters of all kinds that have some; each kind reads its own, so no two share a name."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """One field a kind, whose name is that of its weight in a blend; rows of all arrays are the same n books.

    A kind that a former release did not have is declared `Kind | None = None`: its versions do without.
    """

    als: Als
    neighbours: Neighbours
    authors: Authors
    popularity: Popularity

    @classmethod
    def fit(cls, data: TrainingData, params: EvidenceParams, *, seed: int, tools: Tools) -> Self:
        """All kinds, fitted to the same data."""
        fitted: dict[str, Any] = {
            name: kind.fit(data, params, seed=seed, tools=tools) for name, kind in cls.classes().items()
        }
        return cls(**fitted)

    @classmethod
    def classes(cls) -> dict[str, type[Kind[EvidenceParams]]]:
        """The class of each kind by its name, in the order of the fields."""
        hints = get_type_hints(cls)
        declared = {each.name: get_args(hints[each.name]) or (hints[each.name],) for each in fields(cls)}
        return {
            name: next(each for each in classes if issubclass(each, Kind))
            for name, classes in declared.items()
        }

    @cached_property
    def kinds(self) -> dict[str, Kind[Any]]:
        """The kinds that this version has by name: blends and rows of scores have this order."""
        found = ((each.name, getattr(self, each.name)) for each in fields(self))
        return {name: kind for name, kind in found if kind is not None}
