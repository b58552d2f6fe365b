"""Lists from candidates beside lists of all books: what they miss, and what each costs.

    python -m tests.bench.candidates HOME

Ranks for readers of the home's catalog by its current version, turn by turn.
"""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from artifacts.store import ArtifactStore
from catalog.database import open_database
from foundation.arrays import I64
from foundation.serving_rules import ServingRules
from pipeline.settings import TrainSettings
from servers.als.model import AlsModel
from servers.errors import NoKnownBooks

K = 30
LISTS = {"as tuned": None, "a quarter popularity": 0.25}


def main(
    home: Annotated[Path, typer.Argument(help="A home with a current version.")],
    readers: Annotated[int, typer.Option(min=1, help="Readers drawn at random.")] = 500,
    version: Annotated[str | None, typer.Option(help="Another version than the current one.")] = None,
) -> None:
    """Compare lists from candidates with lists of all books."""
    store = ArtifactStore(home / "artifacts")
    sealed = store.manifest(version or str(store.current()))
    model: AlsModel = store.load(sealed, "als", AlsModel).record
    whole = scan_all(model)
    histories = list(read_histories(home, readers))
    table = Table("list", f"recall@{K}", "the same list", "all books, ms", "candidates, ms", "ratio")
    for name, share in LISTS.items():
        missed, spent_s = [], np.zeros((len(histories), 2))
        for at, history in enumerate(histories):
            lists = []
            for which, each in enumerate((whole, model)):
                started_s = time.process_time()
                lists.append(rank(each, *history, share))
                spent_s[at, which] = time.process_time() - started_s
            missed.append((np.isin(*lists).mean() if lists[0].size else 1.0, np.array_equal(*lists)))
        recall, same = np.mean(missed, axis=0)
        all_ms, few_ms = 1000 * np.median(spent_s[len(histories) // 10 :], axis=0)
        row = (f"{recall:.4f}", f"{same:.1%}", f"{all_ms:.2f}", f"{few_ms:.2f}", f"{few_ms / all_ms:.3f}")
        table.add_row(name, *row)
    Console().print(f"{model.book_ids.size} books, {len(histories)} readers", table)


def scan_all(model: AlsModel) -> AlsModel:
    """The same model, were it to score every book."""
    whole = replace(model)
    finder = replace(whole._finder)
    object.__setattr__(finder, "scans", lambda n_wanted: True)
    whole.__dict__["_finder"] = finder
    return whole


def rank(model: AlsModel, ids: I64, ratings: list[float | None], share: float | None) -> I64:
    """The list of one reader; empty where the version knows none of the history."""
    strength = ServingRules().rating_strength
    try:
        return model.rank(ids, ratings, k=K, popularity_weight=share, rating_strength=strength)[0]
    except NoKnownBooks:
        return np.empty(0, dtype=np.int64)


def read_histories(home: Path, n: int) -> Iterator[tuple[I64, list[float | None]]]:
    """Of n readers what they have read and how they rated it."""
    with closing(open_database(TrainSettings(home=home).catalog_url)) as db, db.session() as session:
        user_ids = session.scalars(text("SELECT DISTINCT user_id FROM ratings ORDER BY user_id")).all()
        for user_id in np.random.default_rng(0).choice(user_ids, min(n, len(user_ids)), replace=False):
            query = text("SELECT book_id, rating FROM ratings WHERE user_id = :user_id ORDER BY book_id")
            rows = session.execute(query, {"user_id": int(user_id)}).all()
            yield np.array([row.book_id for row in rows]), [row.rating for row in rows]


if __name__ == "__main__":
    typer.run(main)
