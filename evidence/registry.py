"""The kinds of evidence that a list is blended from: a new kind is one file and one field here."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, get_args, get_type_hints

import numpy as np
from pydantic import create_model

from evidence.als import Als
from evidence.authors import Authors
from evidence.ease import Ease
from evidence.figures import Figures
from evidence.kind import History, Kind, TrainingData
from evidence.languages import Languages
from evidence.neighbours import Neighbours
from evidence.popularity import Popularity
from foundation.arrays import F32, I64
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
    figures: Figures | None = None
    """No kind: what a ranker looks at besides; None before 0.8.0."""

    @classmethod
    def fit(cls, data: TrainingData, params: Options, *, seed: int, tools: Tools) -> Self:
        """All kinds, fitted to the same data; `params` are of the class that `params_class` makes."""
        fitted: dict[str, Any] = {
            name: kind.fit(data, getattr(params, name), seed=seed, tools=tools)
            for name, kind in cls.classes().items()
        }
        return cls(**fitted, figures=data.figures)

    @classmethod
    def classes(cls) -> dict[str, type[Kind[Any]]]:
        """The class of each kind by its name, in the order of the fields."""
        # A field is declared as `Kind` or as `Kind | None`.
        declared = {name: (get_args(hint) or (hint,))[0] for name, hint in get_type_hints(cls).items()}
        return {name: kind for name, kind in declared.items() if issubclass(kind, Kind)}

    @classmethod
    def params_class(cls) -> type[Options]:
        """Settings with the parameters of each kind under its name: of the class that its `fit` declares."""
        declared = {name: get_type_hints(kind.fit)["params"] for name, kind in cls.classes().items()}
        defaults: dict[str, Any] = {name: (params, params()) for name, params in declared.items()}
        return create_model("EvidenceParams", __base__=Options, **defaults)

    def spread(self, rows: I64, n_items: int) -> Self:
        """The same evidence in these ascending rows of n_items, and none of the others."""
        spread: dict[str, Any] = {name: kind.spread(rows, n_items) for name, kind in self.kinds.items()}
        figures = self.figures and self.figures.spread(rows, n_items)
        return replace(self, **spread, figures=figures)

    def compare_figures(self, names: Sequence[str], item_idx: I64, history: History) -> F32:
        """(n_items, n_names): by how much these figures of books are above their means over a history."""
        if self.figures is None or not names:
            return np.empty((item_idx.size, 0), dtype=np.float32)
        return self.figures.compare(names, item_idx, history.item_idx)

    @property
    def figure_names(self) -> list[str]:
        """Of the figures that this version has."""
        return self.figures.names if self.figures else []

    @cached_property
    def kinds(self) -> dict[str, Kind[Any]]:
        """The kinds that this version has by name: blends and rows of scores have this order."""
        return {name: kind for name in self.classes() if (kind := getattr(self, name)) is not None}


if TYPE_CHECKING:
    EvidenceParams = Options  # mypy follows no class that is made when the program runs
else:
    EvidenceParams = Evidence.params_class()
