"""What readers do besides rating trains as weaker evidence, and never tells of what is held out."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import insert

from catalog.database import Database
from catalog.tables import Event
from evidence.neighbours import weigh_bm25
from foundation.serving_rules import EventWeights
from pipeline.records import Events, Interactions, build_fold
from pipeline.settings import SplitParams
from pipeline.steps.s1_export import export
from pipeline.steps.s2_clean import clean
from pipeline.steps.s3_split import split
from tests.pipeline.catalogs import Work, write_catalog

WORKS = [Work(f"Book {number}", None, ()) for number in range(9)]
WEIGHTS = EventWeights(view=0.1, click=0.2, to_read=0.3, like=0.5)
RATED = Interactions(np.array([3, 3, 8]), np.array([10, 40, 40]), np.full(3, np.nan, dtype=np.float32))


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """Five readers who have each rated five books."""
    pairs = [(user, book, 5.0) for user in range(1, 6) for book in range(user, user + 5)]
    database = write_catalog(tmp_path / "catalog.db", WORKS, pairs)
    yield database
    database.close()


def add_events(db: Database, *events: tuple[int, int, str]) -> None:
    names = ("user_id", "book_id", "kind")
    with db.session(write=True) as session:
        session.execute(insert(Event), [dict(zip(names, event, strict=True)) for event in events])


def weights_of(db: Database) -> object:
    events = clean(export(db), event_weights=WEIGHTS).events
    pairs = zip(events.user_ids.tolist(), events.book_ids.tolist(), strict=True)
    return pytest.approx(dict(zip(pairs, events.weights.tolist(), strict=True)))


def test_of_several_events_the_strongest_counts(db: Database) -> None:
    add_events(db, (1, 7, "view"), (1, 7, "view"), (1, 7, "like"), (2, 8, "view"), (2, 1, "to_read"))

    assert weights_of(db) == {(1, 7): 0.5, (2, 1): 0.3, (2, 8): 0.1}


def test_what_was_dismissed_or_only_shown_counts_nothing(db: Database) -> None:
    add_events(db, (1, 7, "dismiss"), (1, 8, "like"), (1, 8, "dismiss"), (1, 9, "impression"))

    assert weights_of(db) == {}


def test_an_event_with_a_book_that_was_rated_counts_nothing(db: Database) -> None:
    add_events(db, (1, 1, "like"), (2, 6, "like"), (2, 7, "like"))

    assert weights_of(db) == {(2, 7): 0.5}


def test_no_fold_learns_of_a_pair_that_is_held_out(db: Database) -> None:
    everything = [(user, book, "like") for user in range(1, 6) for book in range(1, 10)]
    add_events(db, *everything)

    folds = split(clean(export(db), event_weights=WEIGHTS), params=SplitParams(min_users=1))

    assert folds.held_out.size and folds.inner_held_out.size
    for fold, held_out in (
        (folds.train, [folds.held_out]),
        (folds.inner, [folds.held_out, folds.inner_held_out]),
    ):
        learned = fold.evidence.tocoo()
        pairs = set(
            zip(fold.user_ids[learned.row].tolist(), fold.book_ids[learned.col].tolist(), strict=True)
        )
        hidden = {
            pair
            for each in held_out
            for pair in zip(each.user_ids.tolist(), each.book_ids.tolist(), strict=True)
        }
        assert fold.events.nnz
        assert not pairs & hidden


def test_a_fold_places_events_beside_its_ratings_and_readers_without_any_below(db: Database) -> None:
    events = Events(np.array([1, 8, 8]), np.array([40, 10, 99]), np.array([0.5, 0.3, 0.5], dtype=np.float32))

    fold = build_fold(RATED, events)

    assert fold.user_items.toarray().tolist() == [[1, 1], [0, 1]]
    np.testing.assert_allclose(fold.evidence.toarray(), [[1, 1], [0.3, 1], [0, 0.5]])


def test_without_events_the_models_learn_from_the_very_same_matrix() -> None:
    fold = build_fold(RATED)

    assert fold.evidence is fold.user_items


def test_a_pair_of_less_weight_is_as_much_of_a_reader_and_of_a_book() -> None:
    fold = build_fold(RATED, Events(np.array([8]), np.array([10]), np.array([0.5], dtype=np.float32)))

    weights = weigh_bm25(fold.evidence, k1=1.0, b=0.0).toarray()

    idf = np.maximum(0, np.log(2) - np.log1p([2, 1.5]))
    np.testing.assert_allclose(weights, np.array([[1, 0.5], [1, 1]]) * idf)
