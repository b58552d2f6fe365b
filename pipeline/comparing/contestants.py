"""Who is compared, by name: ours as they are served, parts of them, and what others would serve."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from evidence.registry import Evidence
from foundation.arrays import I64
from pipeline.comparing.ablation import list_ablations
from pipeline.comparing.bench import Bench
from pipeline.comparing.protocols import Protocol
from pipeline.comparing.similar import list_modes
from pipeline.errors import NoFavourites, UnknownModel
from pipeline.evaluation.baselines import (
    choose_ease,
    serve_bm25,
    serve_classic_als,
    serve_classic_system,
    serve_ease,
)
from pipeline.evaluation.cold import serve_cold, tell_favourites
from pipeline.evaluation.lists import serve_popular
from pipeline.evaluation.users import choose_users
from pipeline.models.fold_models import build_als

Serve = Callable[[Bench], list[I64]]
"""The list of each of the bench's users."""

SERVED: Final = "served"
POPULARITY: Final = "popularity"
EASE: Final = "EASE"
NO_LIMIT: Final = 10
"""An author limit that limits nothing: as many of ten books as there are."""


def find_contestants(protocol: Protocol) -> dict[str, Serve]:
    """All that can be compared by a protocol, in the order of reports."""
    match protocol:
        case "cold":
            return {POPULARITY: serve_most_read, SERVED: _by_favourites}
        case "similar":
            return {POPULARITY: serve_most_read, **list_modes()}
    kinds = {f"{kind} alone": partial(_kind_alone, kind=kind) for kind in Evidence.classes()}
    return {
        POPULARITY: serve_most_read,
        "classic system": _classic_system,
        "classic ALS": _classic_als,
        "BM25 neighbours": _bm25,
        EASE: _ease,
        **{name: serve for name, serve in kinds.items() if name != f"{POPULARITY} alone"},
        "served, not reordered": _blended,
        "served, ratings not counted": _unrated,
        "served, no author limit": _unlimited,
        SERVED: _served,
    }


def choose_contestants(protocol: Protocol, names: Sequence[str]) -> dict[str, Serve]:
    """Those of these names, in the order of reports; without one all but ablations. Raises UnknownModel."""
    contestants = find_contestants(protocol)
    known = contestants if protocol in ("cold", "similar") else {**list_ablations(), **contestants}
    if unknown := [name for name in names if name not in known]:
        raise UnknownModel(unknown[0], protocol, list(known))
    return {name: serve for name, serve in known.items() if name in (names or contestants)}


def serve_most_read(bench: Bench) -> list[I64]:
    """What everybody reads."""
    popularity = np.where(bench.fold.is_shown, bench.aggregates.popularity, -np.inf)
    return serve_popular(bench.fold.book_ids, popularity, bench.users, bench.k)


def _classic_als(bench: Bench) -> list[I64]:
    return serve_classic_als(
        bench.fold, bench.users, bench.k, seed=bench.options.seed, threads=bench.options.threads
    )


def _classic_system(bench: Bench) -> list[I64]:
    return serve_classic_system(bench.fold, bench.aggregates, _classic_als(bench), bench.users, bench.k)


def _bm25(bench: Bench) -> list[I64]:
    return serve_bm25(bench.fold, bench.users, bench.k, threads=bench.options.threads)


def _ease(bench: Bench) -> list[I64]:
    folds, advance = bench.folds, bench.fitter.stepper.progress.step_advanced
    inner = choose_users(folds.inner, folds.inner_held_out, at_most=bench.options.ranker.max_users)
    regularization = choose_ease(folds.inner, inner, bench.k, advance=advance)
    return serve_ease(bench.fold, bench.users, bench.k, regularization=regularization)


def _kind_alone(bench: Bench, kind: str) -> list[I64]:
    units = {"units": bench.ranking.params["units"]}
    alone = build_als(bench.fold, bench.evidence, {"blend": {kind: 1.0}, **units})
    return bench.serve(alone, author_limit=NO_LIMIT, diversity=0.0)


def _served(bench: Bench) -> list[I64]:
    return bench.serve(bench.als)


def _blended(bench: Bench) -> list[I64]:
    return bench.serve(replace(bench.als, ranker=None))


def _unrated(bench: Bench) -> list[I64]:
    return bench.serve(bench.als, rating_strength=0.0)


def _unlimited(bench: Bench) -> list[I64]:
    return bench.serve(bench.als, author_limit=NO_LIMIT)


def _by_favourites(bench: Bench) -> list[I64]:
    told = tell_favourites(bench.catalog, bench.fold.book_ids, bench.users)
    if not any(any(each) for each in told):
        raise NoFavourites
    return serve_cold(bench.models, told, bench.users, bench.k, bench.rules, bench.subjects)
