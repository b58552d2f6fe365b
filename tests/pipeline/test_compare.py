import numpy as np
import pytest

from pipeline.compare import SERVED, UNRATED, compare
from pipeline.errors import NothingToEvaluate
from pipeline.evaluation.baselines import serve_classic_system
from pipeline.evaluation.users import EvaluationUsers
from pipeline.records import Interactions, build_fold
from pipeline.report import RunReport
from pipeline.settings import AggregateParams, SplitParams, TrainOptions, TrainSettings
from pipeline.steps.s4_aggregate import aggregate
from tests.pipeline.conftest import Home


def test_all_models_are_measured_on_the_same_readers_as_the_gate(trained: tuple[Home, RunReport]) -> None:
    home, run = trained

    report = compare(home.settings, home.db, home.store)

    assert [row.model for row in report.rows] == [
        "popularity",
        "classic system",
        "classic ALS",
        UNRATED,
        SERVED,
    ]
    served = report.rows[-1]
    assert (report.version, report.n_users) == (run.version, run.metrics["n_readers"])
    assert served.recall.mean == run.metrics["recall@30"]["mean"]
    assert served.served_gain.mean == 0
    assert report.rows[0].served_gain.low > 0.3
    assert report.classic_recall == report.rows[1].recall.mean


def test_without_a_version_there_is_nothing_to_evaluate(home: Home) -> None:
    with pytest.raises(NothingToEvaluate, match="bookmesh train"):
        compare(home.settings, home.db, home.store)


def test_a_version_of_other_folds_is_not_evaluated(trained: tuple[Home, RunReport]) -> None:
    home, _ = trained
    others = TrainSettings(home=home.settings.home, train=TrainOptions(split=SplitParams(held_out_share=0.4)))

    with pytest.raises(NothingToEvaluate, match="other folds"):
        compare(others, home.db, home.store)


def test_the_classic_system_serves_short_histories_by_its_prior() -> None:
    """Book 1 is rated highest by many; book 2 by one alone, whom the prior of 30 ratings outweighs."""
    rows = [(user, 1, 9.0) for user in range(60)] + [(0, 2, 10.0), (1, 3, 2.0)]
    users, books, ratings = (np.array(column) for column in zip(*sorted(rows), strict=True))
    fold = build_fold(Interactions(users, books, ratings.astype(np.float32)))
    histories = [np.array([3]), np.arange(10, 20)]
    users_measured = EvaluationUsers(np.array([0, 1]), histories, [], [np.array([1])] * 2, [])
    by_als = [np.array([7, 7]), np.array([8, 8])]

    short, long = serve_classic_system(
        fold, aggregate(fold, params=AggregateParams()), by_als, users_measured, k=2
    )

    assert short.tolist() == [1, 2]
    assert long.tolist() == [8, 8]
