"""How deep the threshold algorithm reads its two lists for the first ten books of a blend.

    python -m tests.bench.blend_depth HOME

For sets of subjects drawn at random, over the current version of a home, in the pages that the gateway reads.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from artifacts.store import ArtifactStore
from foundation.arrays import F32, top_k
from gateway.recommend.candidates import first_page_size
from gateway.recommend.threshold import Scored, ThresholdBlend
from pipeline.models.served import Served, open_served

K = 10
POPULARITY_WEIGHTS = (0.1, 0.3, 0.5, 0.7, 0.9)
N_SUBJECTS = 5


def main(
    home: Annotated[Path, typer.Argument(help="A home with a current version.")],
    sets: Annotated[int, typer.Option(min=1, help="Sets of subjects drawn at random.")] = 100,
) -> None:
    """Measure how deep blends of nearness and popularity are read."""
    store = ArtifactStore(home / "artifacts")
    served = open_served(store, store.manifest(str(store.current())))
    rng = np.random.default_rng(0)
    names = [
        rng.choice(served.embedder.subjects, rng.integers(1, N_SUBJECTS + 1), replace=False)
        for _ in range(sets)
    ]
    nearness = [measure_nearness(served, list(each)) for each in names]
    table = Table("popularity's weight", "median depth", "95 %", "deepest")
    for weight in POPULARITY_WEIGHTS:
        depths = [read_depth(scores, served.metadata.popularity, weight) for scores in nearness]
        quantiles = np.quantile(depths, (0.5, 0.95, 1.0)).astype(int).tolist()
        table.add_row(str(weight), *map(str, quantiles))
    Console().print(f"{served.metadata.book_ids.size} books, {sets} sets of subjects", table)


def measure_nearness(served: Served, names: list[str]) -> F32:
    """(n,): how near each book is to these subjects."""
    vector = served.embedder.embed(names)[0]
    return served.similarity.scores(vector.tolist(), served.metadata.book_ids.tolist())


def read_depth(nearness: F32, popularity: F32, popularity_weight: float) -> int:
    """How many books of each list were read once K were certain."""
    blend, n_certain, n_read = ThresholdBlend(1 - popularity_weight), 0, 0
    orders = [top_k(scores, scores.size) for scores in (nearness, popularity)]
    depth = first_page_size(K)
    while n_certain < K:
        for side, scores in ((0, nearness), (1, popularity)):
            rows = orders[side][n_read:depth]
            page = [Scored(*each) for each in zip(rows.tolist(), scores[rows].tolist(), strict=True)]
            blend.extend(side, page, closed=depth >= scores.size)  # type: ignore[arg-type]
        for side, scores in ((0, nearness), (1, popularity)):
            missing = blend.missing(side)  # type: ignore[arg-type]
            blend.learn(side, dict(zip(missing, scores[missing].tolist(), strict=True)))  # type: ignore[arg-type]
        n_certain += len(blend.take())
        n_read, depth = depth, 2 * depth
    return n_read


if __name__ == "__main__":
    typer.run(main)
