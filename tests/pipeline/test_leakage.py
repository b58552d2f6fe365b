"""Nothing that is held out reaches a model: not by an overlap of folds, nor by any table that steps read."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from catalog.tables import Event, EventKind, Rating
from foundation.arrays import pack_pairs
from pipeline import run as night
from pipeline.draws import OUTER_SALT, draw
from pipeline.errors import FoldsOverlap
from pipeline.leakage import check_folds
from pipeline.records import Clean, Events, Interactions, Split, build_fold
from pipeline.settings import GateParams, SplitParams
from pipeline.steps.s3_split import split
from tests.pipeline.catalogs import Pair, club_pairs, club_works
from tests.pipeline.conftest import Home, opened_home

N_BOOKS = 40
BROKEN = st.sampled_from([None, 1.0, 5.0, 10.0])


def make_folds() -> Split:
    pairs = club_pairs(np.random.default_rng(0), n_users=30)
    user_ids, book_ids, _ = (np.array(each) for each in zip(*sorted(pairs), strict=True))
    ratings = np.full(user_ids.size, 8, dtype=np.float32)
    return split(Clean(Interactions(user_ids, book_ids, ratings), {}), params=SplitParams())


def with_one_held_out(folds: Split) -> Split:
    return replace(folds, train=build_fold(join(folds, folds.held_out.take(np.array([3])))))


def with_an_event_of_a_held_out_book(folds: Split) -> Split:
    held_out = folds.held_out.take(np.array([3]))
    events = Events(held_out.user_ids, held_out.book_ids, np.array([0.3], dtype=np.float32))
    return replace(folds, inner=build_fold(join(folds), events))


def with_the_inner_fold_on_its_own_test(folds: Split) -> Split:
    return replace(folds, inner=folds.train)


def with_one_held_out_twice(folds: Split) -> Split:
    return replace(folds, inner_held_out=folds.held_out.take(np.array([3])))


def join(folds: Split, *more: Interactions) -> Interactions:
    """What the inner fold has, and more."""
    rows, columns = folds.inner.user_items.nonzero()
    parts = [(folds.inner.user_ids[rows], folds.inner.book_ids[columns])]
    parts += [(each.user_ids, each.book_ids) for each in more]
    user_ids, book_ids = (np.concatenate(each) for each in zip(*parts, strict=True))
    order = np.argsort(pack_pairs(user_ids, book_ids))
    return Interactions(user_ids[order], book_ids[order], np.full(order.size, 8, dtype=np.float32))


def test_folds_that_share_no_pair_are_fine() -> None:
    check_folds(make_folds())


@pytest.mark.parametrize(
    ("damage", "fold", "n_shared"),
    [
        (with_one_held_out, "train", 1),
        (with_an_event_of_a_held_out_book, "inner", 1),
        (with_the_inner_fold_on_its_own_test, "inner", make_folds().inner_held_out.size),
        (with_one_held_out_twice, "inner held-out", 1),
    ],
)
def test_an_overlap_is_named(damage: Callable[[Split], Split], fold: str, n_shared: int) -> None:
    with pytest.raises(FoldsOverlap, match=f"^{n_shared} held-out ratings are in the {fold} fold") as found:
        check_folds(damage(make_folds()))

    assert "nothing was trained" in str(found.value) and "bookmesh train --from clean" in str(found.value)


@dataclass(frozen=True)
class Judged:
    """A home whose gate refuses everything, so that what is sealed is the candidate."""

    home: Home
    pairs: dict[tuple[int, int], float | None]
    held_out: list[tuple[int, int]]
    objects: dict[str, str]

    def retrain(
        self, pairs: dict[tuple[int, int], float | None], seen: list[tuple[int, int]]
    ) -> dict[str, str]:
        """Digests of the candidate's objects by name, were these the ratings, and those books seen."""
        with self.home.db.session(write=True) as session:
            session.execute(delete(Rating))
            session.execute(delete(Event))
            rows = [{"user_id": user, "book_id": book, "rating": r} for (user, book), r in pairs.items()]
            session.execute(insert(Rating), rows)
            for (user, book), kind in zip(seen, EventKind, strict=False):
                session.execute(insert(Event), {"user_id": user, "book_id": book, "kind": kind})
        return digest_objects(self.home, self.home.train().version)


def digest_objects(home: Home, version: str) -> dict[str, str]:
    entries = home.store.manifest(version).objects
    # tantivy names its segments at random.
    return {entry.name: entry.digest for entry in entries if not entry.name.startswith("metadata/text_index")}


def is_held_out(user_id: int, book_id: int) -> bool:
    share = SplitParams().held_out_share
    return bool(draw(np.array([user_id]), np.array([book_id]), OUTER_SALT)[0] < share)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judged]:
    rng = np.random.default_rng(11)
    pairs = {(user, book): rating for user, book, rating in club_pairs(rng, n_users=40, n_clubs=2)}
    path = tmp_path_factory.mktemp("leakage")
    triples: list[Pair] = [(*pair, rating) for pair, rating in pairs.items()]
    with opened_home(path, club_works(n_clubs=2), triples) as home:
        refusing = home.settings.train.model_copy(update={"gate": GateParams(floor_margin=1000)})
        home = replace(home, settings=home.settings.model_copy(update={"train": refusing}))
        objects = digest_objects(home, home.train().version)
        yield Judged(home, pairs, [pair for pair in pairs if is_held_out(*pair)], objects)


def test_a_run_whose_folds_overlap_stops_before_it_trains(
    judged: Judged, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overlapping(cleaned: Clean, *, params: SplitParams) -> Split:
        folds = split(cleaned, params=params)
        return replace(folds, train=build_fold(cleaned.interactions, cleaned.events))

    monkeypatch.setattr(night, "split", overlapping)
    versions = judged.home.store.versions()

    with pytest.raises(FoldsOverlap, match="in the train fold"):
        judged.home.train()

    assert judged.home.store.versions() == versions
    told = judged.home.settings.training_metrics_path.read_text()
    assert 'outcome="failed"} 1.0' in told and "3 split" in told and "4 aggregate" not in told


@settings(
    max_examples=3,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(data=st.data())
def test_whatever_readers_hold_out_no_object_of_the_candidate_tells(
    judged: Judged, data: st.DataObject
) -> None:
    choose = partial(st.sampled_from, judged.held_out)
    readers = sorted({user for user, _ in judged.held_out})
    unread = [
        (user, book)
        for user in readers
        for book in range(1, N_BOOKS + 1)
        if (user, book) not in judged.pairs and is_held_out(user, book)
    ]
    changed = data.draw(st.dictionaries(choose(), BROKEN, min_size=20), "ratings of held-out books")
    added = data.draw(st.dictionaries(st.sampled_from(unread), BROKEN, min_size=5), "more held-out books")
    seen = data.draw(st.lists(choose(), min_size=6, max_size=6, unique=True), "events of held-out books")

    objects = judged.retrain({**judged.pairs, **changed, **added}, seen)

    assert objects == judged.objects
