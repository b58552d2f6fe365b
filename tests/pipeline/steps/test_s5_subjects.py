"""What was never trained must never be indexed: a random vector is near to somebody's book by chance."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from foundation.tools import Tools
from pipeline.models.vector_index import build_graph, pool_books
from pipeline.records import Export, build_fold
from pipeline.settings import AggregateParams, IndexParams, SubjectsParams
from pipeline.steps.s1_export import export
from pipeline.steps.s2_clean import clean
from pipeline.steps.s4_aggregate import aggregate
from pipeline.steps.s5_subjects import learn_subjects
from servers.embedder.model import EmbedderModel
from tests.pipeline.catalogs import Work, write_catalog

PARAMS = SubjectsParams(dim=4, max_steps=20, batch_size=64, n_negatives=16, n_pairs=16)
MANY = tuple(f"Subject {place:02}" for place in range(12))
"""More subjects than training looks at."""


@pytest.fixture
def catalog(tmp_path: Path) -> Export:
    """Ten books that all readers read; one of only late subjects, one of an unread author, one of nothing."""
    read = [Work(f"Read {place}", "Anna", MANY) for place in range(10)]
    late = Work("Late", None, MANY[-2:])
    others = Work("By another", "Bert", ()), Work("Rare", None, ("Quidditch",)), Work("Bare", None, ())
    pairs = [(user_id, book_id, 7.0) for user_id in range(1, 9) for book_id in range(1, 11)]
    with closing(write_catalog(tmp_path / "catalog.db", [*read, late, *others], pairs)) as db:
        return export(db)


def learn(catalog: Export) -> EmbedderModel:
    fold = build_fold(clean(catalog).interactions)
    aggregates = aggregate(fold, params=AggregateParams())
    tools = Tools(1, lambda share: None, Path())
    return learn_subjects(fold, aggregates, catalog, params=PARAMS, seed=1, tools=tools)


def test_subjects_and_authors_that_training_never_saw_are_unknown(catalog: Export) -> None:
    model = learn(catalog)

    assert model.subjects == list(MANY[:8])
    assert model.embeddings.shape == (9, 4)
    assert model.author_ids.size == 1


def test_books_of_nothing_trained_are_in_no_index(catalog: Export) -> None:
    book_ids = catalog.books["book_id"].to_numpy()

    vectors = pool_books(learn(catalog), catalog, book_ids)

    assert np.flatnonzero(vectors.any(axis=1)).tolist() == list(range(10))
    assert sorted(build_graph(vectors, IndexParams()).rows.tolist()) == list(range(10))
