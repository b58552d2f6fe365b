"""The kinds of evidence that a list is blended from: a new kind is one file and one field here."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, get_args, get_type_hints

from pydantic import create_model

from evidence.als import Als
from evidence.authors import Authors
from evidence.ease import Ease
from evidence.kind import Kind, TrainingData
from evidence.languages import Languages
from evidence.neighbours import Neighbours
from evidence.popularity import Popularity
from foundation.arrays import I64
from foundation.settings import Options
from foundation.tools import Tools


@dataclass(frozen=True, eq=False)
class Evidence:
    """One field a kind, whose name is that of its weight in a blend; rows of all arrays are the same n books.

    A kind that a former release did not have is declared `Kind | None = None`: its versions do without.
    """

    als: Als
    neighbours: Neighbours
    authors: Authors
    popularity: Popularity
    ease: Ease | None = None
    languages: Languages | None = None

    @classmethod
    def fit(cls, data: TrainingData, params: Options, *, seed: int, tools: Tools) -> Self:
        """All kinds, fitted to the same data; `params` are of the class that `params_class` makes."""
        fitted: dict[str, Any] = {
            name: kind.fit(data, getattr(params, name), seed=seed, tools=tools)
            for name, kind in cls.classes().items()
        }
        return cls(**fitted)

    @classmethod
    def classes(cls) -> dict[str, type[Kind[Any]]]:
        """The class of each kind by its name, in the order of the fields."""
        # A field is declared as `Kind` or as `Kind | None`.
        return {name: (get_args(hint) or (hint,))[0] for name, hint in get_type_hints(cls).items()}

    @classmethod
    def params_class(cls) -> type[Options]:
        """Settings with the parameters of each kind under its name: of the class that its `fit` declares."""
        declared = {name: get_type_hints(kind.fit)["params"] for name, kind in cls.classes().items()}
        defaults: dict[str, Any] = {name: (params, params()) for name, params in declared.items()}
        return create_model("EvidenceParams", __base__=Options, **defaults)

    def spread(self, rows: I64, n_items: int) -> Self:
        """The same evidence in these ascending rows of n_items, and none of the others."""
        spread: dict[str, Any] = {name: kind.spread(rows, n_items) for name, kind in self.kinds.items()}
        return replace(self, **spread)

    @cached_property
    def kinds(self) -> dict[str, Kind[Any]]:
        """The kinds that this version has by name: blends and rows of scores have this order."""
        return {name: kind for name in self.classes() if (kind := getattr(self, name)) is not None}


if TYPE_CHECKING:
    EvidenceParams = Options  # mypy follows no class that is made when the program runs
else:
    EvidenceParams = Evidence.params_class()
