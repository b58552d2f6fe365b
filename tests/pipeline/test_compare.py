"""Comparisons of real models on the clubs, by each protocol."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from catalog.tables import Rating
from pipeline.compare import Wanted, compare
from pipeline.comparing.comparison import Comparison, Model
from pipeline.comparing.documents import write_documents
from pipeline.errors import NoFavourites, NoTimes, TooFewRatings, UnknownModel, UnknownSource
from pipeline.report import RunReport
from pipeline.settings import SplitParams
from tests.pipeline.catalogs import club_pairs, club_works
from tests.pipeline.conftest import Home, opened_home

FEW = ("popularity", "EASE", "served")


@pytest.fixture(scope="module")
def clubs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home that was never trained in; comparisons share it, and change nothing but what they keep."""
    with opened_home(
        tmp_path_factory.mktemp("clubs"), club_works(), club_pairs(np.random.default_rng(0))
    ) as home:
        yield home


@pytest.fixture(scope="module")
def warm(clubs: Home) -> Comparison:
    return compare(clubs.settings, clubs.db, Wanted(with_curve=True))


def find(found: Comparison, name: str) -> Model:
    return next(model for model in found.models if model.name == name)


def test_what_is_served_is_measured_as_the_gate_does(
    trained: tuple[Home, RunReport], warm: Comparison
) -> None:
    served = find(warm, "served").figures.means

    assert warm.n_users == trained[1].metrics["n_readers"]
    for ours, of_gate in (("recall@30", "recall@30"), ("NDCG@10", "ndcg@10")):
        assert served[ours].mean == pytest.approx(trained[1].metrics[of_gate]["mean"])


def test_the_clubs_are_told_apart_by_whatever_learns_from_ratings(warm: Comparison) -> None:
    """Each has ten books left in the club and thirty places: popularity fills them with others'."""
    for name in ("BM25 neighbours", "EASE", "als alone", "neighbours alone", "ease alone", "served"):
        assert find(warm, name).figures.means["recall@30"].mean > 0.95, name
    assert find(warm, "popularity").figures.means["recall@30"].mean < 0.6
    assert warm.baseline == "EASE"
    assert find(warm, "popularity").figures.gains["recall@30"].high < -0.3
    assert find(warm, "EASE").figures.gains["recall@30"].mean == 0


def test_every_part_and_every_share_of_readers_is_reported(warm: Comparison) -> None:
    histories = [part for part in warm.parts if part.group == "history"]

    assert sum(part.n_users for part in histories) == warm.n_users
    assert {part.group for part in warm.parts} == {"history", "held-out books"}
    assert [point.share for point in warm.curve] == [0.1, 0.25, 0.5, 1.0]
    assert warm.curve[-1].recall["served"] == find(warm, "served").figures.means["recall@30"]
    assert warm.ratings is not None
    assert set(warm.ratings.rmse) == {"the mean of all", "the book's Bayesian mean, as cards show it"}
    for model in warm.models:
        assert model.reach[-1] == pytest.approx(1)
        assert model.reach == sorted(model.reach)


def test_the_same_catalog_and_settings_give_the_same_bytes(
    clubs: Home, warm: Comparison, tmp_path: Path
) -> None:
    wanted = Wanted(models=FEW)
    first = write_documents(compare(clubs.settings, clubs.db, wanted), tmp_path / "first")
    shutil.rmtree(clubs.settings.comparisons_path)

    again = write_documents(compare(clubs.settings, clubs.db, wanted), tmp_path / "again")

    assert [path.suffix for path in first] == [".json", ".md", ".html"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]


def test_readers_whom_no_model_has_seen_are_served_by_their_histories(clubs: Home) -> None:
    found = compare(clubs.settings, clubs.db, Wanted(protocol="fold-in", models=FEW, seeds=2))

    assert find(found, "served").figures.means["recall@30"].mean > 0.95
    assert len(find(found, "served").recall_by_seed) == 2


def test_readers_are_served_by_their_favourites_alone(clubs: Home) -> None:
    found = compare(clubs.settings, clubs.db, Wanted(protocol="cold"))

    assert found.baseline == "popularity"
    assert find(found, "served").figures.ratios["recall@30"].low > 1


def test_books_that_are_like_one_are_found_and_have_something_in_common_with_it(clubs: Home) -> None:
    found = compare(clubs.settings, clubs.db, Wanted(protocol="similar"))

    assert found.unit == "look-ups"
    subject = find(found, "subject").figures.means
    assert subject["shared subject@10"].mean > 0.95
    assert subject["answered"].mean == 1
    assert find(found, "als").figures.means["recall@30"].mean > 0.9
    assert find(found, "popularity").figures.means["shared subject@10"].mean < 0.5


def test_books_without_subjects_have_no_favourites(tmp_path: Path) -> None:
    works = [replace(work, subjects=(), author=None) for work in club_works()]
    with (
        opened_home(tmp_path, works, club_pairs(np.random.default_rng(0))) as home,
        pytest.raises(NoFavourites, match="fold-in"),
    ):
        compare(home.settings, home.db, Wanted(protocol="cold"))


def test_ratings_without_times_are_not_split_by_time(clubs: Home) -> None:
    with pytest.raises(NoTimes, match=r"^0% of the ratings .* `--protocol warm`"):
        compare(clubs.settings, clubs.db, Wanted(protocol="time"))


def test_what_was_read_last_is_to_be_found(home: Home) -> None:
    """A book's number is its day, so that in each club the last books are the ones to come."""
    with home.db.session(write=True) as session:
        session.execute(update(Rating).values(rated_at=(Rating.book_id * 7 + Rating.user_id * 5) % 40))

    found = compare(home.settings, home.db, Wanted(protocol="time", models=FEW))

    assert find(found, "served").figures.means["recall@30"].mean > 0.8


def test_lists_are_ordered_anew_without_a_kind_of_evidence(clubs: Home) -> None:
    names = [f"served without {kind}" for kind in ("als", "neighbours", "authors", "ease")]

    found = compare(clubs.settings, clubs.db, Wanted(models=("served", *names), baseline="served"))

    assert [model.name for model in found.models] == [*names, "served"]
    for model in found.models:
        assert model.figures.means["recall@30"].mean > 0.95, model.name


def test_a_name_that_nothing_has_is_refused_with_those_that_there_are(clubs: Home) -> None:
    with pytest.raises(UnknownModel, match=r"'EASY' is nothing that warm compares; there are .*popularity, "):
        compare(clubs.settings, clubs.db, Wanted(models=("served", "EASY")))
    with pytest.raises(UnknownModel, match="EASE"):
        compare(clubs.settings, clubs.db, Wanted(models=("served",), baseline="EASE"))


def test_only_readers_of_a_source_are_compared(clubs: Home) -> None:
    with pytest.raises(UnknownSource, match="'goodbooks'; there are test"):
        compare(clubs.settings, clubs.db, Wanted(source="goodbooks"))
    everybody = compare(clubs.settings, clubs.db, Wanted(models=("popularity",)))

    found = compare(clubs.settings, clubs.db, Wanted(source="test", models=("popularity",)))

    assert found.models == everybody.models


def test_too_few_readers_are_no_measure(clubs: Home) -> None:
    train = clubs.settings.train.model_copy(update={"split": SplitParams(min_ratings=11)})
    settings = clubs.settings.model_copy(update={"train": train})

    with pytest.raises(TooFewRatings, match="import a larger source"):
        compare(settings, clubs.db, Wanted(protocol="fold-in"))
