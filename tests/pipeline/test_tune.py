"""Searches on the clubs: few trials, of the kind that is fitted fastest."""

import json

import pytest

from pipeline.errors import ParametersUnreadable, UnknownKind
from pipeline.hyperparameters import Hyperparameters, Search, settle, write_parameters
from pipeline.settings import TrainOptions, TrainSettings
from pipeline.tune import list_searched, tune
from tests.pipeline.conftest import Home

SEARCH = Search(study="test/neighbours/0", trials=1, value=1.0, default_value=0.9)


def write(home: Home, source: str = "test", **evidence: dict[str, float]) -> None:
    home.settings.tuning_path.mkdir(exist_ok=True)
    found = Hyperparameters(
        source=source,
        release="0.7.0",
        evidence=evidence,
        searches={"neighbours": SEARCH},
        blend_recall=0.5,
        default_blend_recall=0.4,
    )
    write_parameters(found, home.settings.tuning_path)


def test_a_search_begins_with_what_training_uses_and_never_ends_below_it(home: Home) -> None:
    found = tune(home.settings, home.db, n_trials=3, kinds=["neighbours"])

    search = found.searches["neighbours"]
    assert (found.source, search.trials) == ("test", 3)
    assert search.study.startswith("test/neighbours/")
    assert search.value >= search.default_value > 0
    ranges = list_searched()["neighbours"]
    for name, value in found.evidence.model_dump(exclude_unset=True)["neighbours"].items():
        assert ranges[name].low <= value <= ranges[name].high


def test_a_search_goes_on_where_it_was(home: Home) -> None:
    first = tune(home.settings, home.db, n_trials=2, kinds=["neighbours"])

    again = tune(home.settings, home.db, n_trials=3, kinds=["neighbours"])

    assert again.searches["neighbours"].trials == 3
    assert again.searches["neighbours"].value >= first.searches["neighbours"].value
    done = (home.settings.tuning_path / "studies.log").read_text().splitlines()
    assert sum("state" in json.loads(line) and json.loads(line)["state"] == 1 for line in done) == 3


def test_training_uses_what_was_found_for_the_source_of_the_home(home: Home) -> None:
    write(home, neighbours={"n_neighbours": 77})
    write(home, "other", neighbours={"n_neighbours": 5})

    settled = settle(home.settings, home.db)

    assert settled.train.evidence.neighbours.n_neighbours == 77
    untouched = settled.train.evidence.model_copy(update={"neighbours": None})
    assert untouched == home.settings.train.evidence.model_copy(update={"neighbours": None})


def test_what_an_operator_sets_goes_before_what_was_found(home: Home) -> None:
    write(home, neighbours={"n_neighbours": 77, "bm25_b": 0.7})
    options = TrainOptions.model_validate({"evidence": {"neighbours": {"n_neighbours": 12}}})
    settings = TrainSettings(home=home.settings.home, train=options)

    settled = settle(settings, home.db)

    assert settled.train.evidence.neighbours.n_neighbours == 12
    assert settled.train.evidence.neighbours.bm25_b == 0.7


def test_a_file_of_another_release_is_named(home: Home) -> None:
    home.settings.tuning_path.mkdir()
    (home.settings.tuning_path / "test.json").write_text('{"source": "test"}')

    with pytest.raises(ParametersUnreadable, match=r"test\.json .* remove it"):
        settle(home.settings, home.db)


def test_only_kinds_with_parameters_are_tuned(home: Home) -> None:
    with pytest.raises(UnknownKind, match=r"'popularity' .* there are als, neighbours, ease"):
        tune(home.settings, home.db, n_trials=1, kinds=["popularity"])
