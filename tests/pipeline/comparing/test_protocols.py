"""What each protocol holds out, models never see: on random catalogs, and by what models make of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.snapshot import SCHEMAS
from foundation.arrays import pack_pairs
from pipeline.comparing.bench import Bench
from pipeline.comparing.contestants import choose_contestants
from pipeline.comparing.protocols import SPLITS, Protocol, Trial, split_by_time, split_readers, thin_readers
from pipeline.fitting import Fitter
from pipeline.records import Clean, Events, Export, Interactions
from pipeline.settings import SplitParams
from pipeline.stepping.cache import StepCache
from pipeline.stepping.progress import Progress
from pipeline.stepping.stepper import Stepper
from pipeline.steps.s1_export import export
from pipeline.steps.s2_clean import clean
from tests.pipeline.conftest import Home

PARAMS = SplitParams(min_users=1, min_ratings=3, held_out_share=0.4)
SEEDS = st.integers(0, 10**6)
SOME = settings(max_examples=25)


def make_catalog(seed: int) -> tuple[Clean, Export]:
    """Forty readers of up to twelve of thirty books at random times, and events with others."""
    rng = np.random.default_rng(seed)
    pairs = np.unique(rng.integers(0, [40, 30], (400, 2)), axis=0)
    is_event = rng.random(len(pairs)) < 0.2
    rated, done = pairs[~is_event], pairs[is_event]
    interactions = Interactions(rated[:, 0], rated[:, 1], rng.integers(1, 11, len(rated)).astype("f4"))
    tables = {name: schema.empty_table() for name, schema in SCHEMAS.items()}
    tables["ratings"] = pa.table(
        {
            "user_id": rated[:, 0],
            "book_id": rated[:, 1],
            "rating": interactions.ratings,
            "rated_at": rng.integers(0, 1000, len(rated)),
        }
    )
    events = Events(done[:, 0], done[:, 1], np.full(len(done), 0.2, dtype="f4"))
    return Clean(interactions, {}, events), Export(**tables, fingerprint="")


def train_pairs(trial: Trial) -> set[int]:
    train = trial.folds.train
    user_ids = np.repeat(train.user_ids, np.diff(train.user_items.indptr))
    return set(pack_pairs(user_ids, train.book_ids[train.user_items.indices]).tolist())


@pytest.mark.parametrize("protocol", SPLITS)
@SOME
@given(seed=SEEDS)
def test_nothing_that_is_held_out_is_learned_from(protocol: Protocol, seed: int) -> None:
    trial = SPLITS[protocol](*make_catalog(seed), params=PARAMS, seed=seed % 3)

    held_out = trial.folds.held_out
    assert held_out.size
    assert not train_pairs(trial) & set(pack_pairs(held_out.user_ids, held_out.book_ids).tolist())


@SOME
@given(seed=SEEDS)
def test_of_readers_who_are_held_out_nothing_is_learned_from(seed: int) -> None:
    cleaned, catalog = make_catalog(seed)

    trial = split_readers(cleaned, catalog, params=PARAMS, seed=0)

    train, theirs = trial.folds.train, np.unique(trial.folds.held_out.user_ids)
    assert not np.isin(theirs, train.user_ids).any()
    assert train.events.nnz <= (~np.isin(cleaned.events.user_ids, theirs)).sum()


@SOME
@given(seed=SEEDS)
def test_nothing_is_learned_from_what_came_later(seed: int) -> None:
    cleaned, catalog = make_catalog(seed)

    trial = split_by_time(cleaned, catalog, params=PARAMS, seed=0)

    every = cleaned.interactions
    times = dict(
        zip(
            pack_pairs(every.user_ids, every.book_ids).tolist(),
            catalog.ratings["rated_at"].to_pylist(),
            strict=True,
        )
    )
    held_out = pack_pairs(trial.folds.held_out.user_ids, trial.folds.held_out.book_ids).tolist()
    assert max(times[pair] for pair in train_pairs(trial)) < min(times[pair] for pair in held_out)
    assert not trial.folds.train.events.nnz


@SOME
@given(seed=SEEDS)
def test_a_smaller_share_of_readers_is_part_of_a_larger_one(seed: int) -> None:
    trial = SPLITS["warm"](*make_catalog(seed), params=PARAMS, seed=0)

    few, many = (set(thin_readers(trial.folds, share=each).user_ids) for each in (0.25, 0.5))

    assert few <= many < set(trial.folds.train.user_ids)


def test_another_seed_holds_out_other_pairs() -> None:
    first, second = (SPLITS["warm"](*make_catalog(1), params=PARAMS, seed=seed) for seed in (0, 1))

    assert train_pairs(first) != train_pairs(second)


def test_no_list_changes_with_what_is_held_out(home: Home, tmp_path: Path) -> None:
    """Had any model seen a held-out row, it would serve others for these."""
    stepper = Stepper(StepCache(tmp_path / "steps"), Progress(), first_repeated=None)
    catalog = stepper.export(export, home.db)
    cleaned = stepper.run("clean", "all", clean, catalog)
    trial = stepper.derive(SPLITS["warm"], cleaned, catalog, params=SplitParams(), seed=0)
    users = trial.choose_users(3000)
    rng = np.random.default_rng(0)
    others = replace(users, held_out=[rng.permutation(books) + 1 for books in users.held_out])
    held_out = trial.folds.held_out
    moved = replace(held_out, book_ids=rng.permutation(held_out.book_ids))
    changed = replace(trial, folds=replace(trial.folds, held_out=moved))

    contestants = choose_contestants("warm", ["classic ALS", "BM25 neighbours", "EASE", "served"])
    lists = []
    for number, (each, of_users) in enumerate([(trial, users), (changed, others)]):
        fitter = Fitter(home.settings.train, home.settings.serving, stepper, tmp_path / str(number))
        bench = Bench(fitter, catalog, each, of_users, 30)
        lists.append({name: serve(bench) for name, serve in contestants.items()})

    for name, served in lists[0].items():
        for own, other in zip(served, lists[1][name], strict=True):
            np.testing.assert_array_equal(own, other, err_msg=name)
