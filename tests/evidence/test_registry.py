"""What every kind of evidence promises, held against each that is registered."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.sparse import csr_array

from artifacts.records import open_record, save_record
from evidence.als import AlsParams
from evidence.kind import History, TrainingData, read_history
from evidence.neighbours import NeighboursParams
from evidence.popularity import Popularity
from evidence.registry import Evidence, EvidenceParams
from foundation.arrays import Chosen
from foundation.settings import Options
from foundation.tools import Tools

N = 25
BOOK_IDS = np.arange(N) * 10
USER_ITEMS = csr_array((np.random.default_rng(2).random((40, N)) < 0.25).astype(np.float32))
DATA = TrainingData(
    user_items=USER_ITEMS,
    counts=np.asarray(USER_ITEMS.sum(axis=0), dtype=np.int64),
    book_authors=csr_array((np.arange(N)[:, None] // 2 == np.arange(13)).astype(np.float32)),
    title_words=csr_array((np.arange(N)[:, None] % 7 == np.arange(7)).astype(np.float32)),
    languages=np.arange(N, dtype=np.int32) % 4 + 1,
)
PARAMS = EvidenceParams(als=AlsParams(n_factors=4, n_iterations=3))
TOOLS = Tools(threads=1, advance=lambda share: None, workspace=Path())
HISTORY = read_history(BOOK_IDS, [30, 0, 120, 7], [3.0, None, 9.0, 8.0])


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return Evidence.fit(DATA, PARAMS, seed=1, tools=TOOLS)


@pytest.fixture(params=Evidence.classes())
def name(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


def test_a_kind_scores_every_book(evidence: Evidence, name: str) -> None:
    scores, unit = evidence.kinds[name].score(HISTORY)

    assert scores.shape == (N,)
    assert np.isfinite(scores).all() and scores.max() > 0
    assert 0 < unit < np.inf


def test_a_kind_scores_some_books_as_it_scores_all(evidence: Evidence, name: str) -> None:
    found = evidence.kinds[name].find(HISTORY)
    is_chosen = np.isin(np.arange(N), [2, 5] if found.candidates is None else found.candidates)
    chosen = Chosen.of(is_chosen)

    scores = found.score(chosen)

    expected = evidence.kinds[name].score(HISTORY).scores
    np.testing.assert_allclose(scores, expected[chosen.rows], rtol=1e-5, atol=1e-6)
    assert found.candidates is None or not expected[np.delete(np.arange(N), found.candidates)].any()


def test_the_unit_of_a_kind_is_the_largest_score_of_the_same_history_without_ratings(
    evidence: Evidence, name: str
) -> None:
    halved, unrated = (History(HISTORY.item_idx, np.full(3, weight, np.float32)) for weight in (0.5, 1))
    others = np.delete(np.arange(N), HISTORY.item_idx)

    scores, unit = evidence.kinds[name].score(halved)

    assert unit == pytest.approx(np.abs(evidence.kinds[name].score(unrated).scores[others]).max(), rel=1e-4)
    assert name == "popularity" or np.abs(scores[others]).max() == pytest.approx(unit / 2, rel=1e-4)


def test_a_kind_explains_a_score_by_the_books_of_the_history_if_at_all(evidence: Evidence, name: str) -> None:
    asked = np.array([1, 5, 12, 20])

    brought = evidence.kinds[name].explain(HISTORY, asked)

    if brought is not None:
        assert brought.shape == (4, 3)
        np.testing.assert_allclose(
            brought.sum(axis=1), evidence.kinds[name].score(HISTORY).scores[asked], rtol=1e-3, atol=1e-5
        )


def test_the_same_data_give_the_same_evidence_from_its_files(
    evidence: Evidence, name: str, tmp_path: Path
) -> None:
    save_record(Evidence.fit(DATA, PARAMS, seed=1, tools=TOOLS), tmp_path)

    opened = open_record(Evidence, tmp_path)

    expected = evidence.kinds[name].score(HISTORY).scores
    np.testing.assert_array_equal(opened.kinds[name].score(HISTORY).scores, expected)


@dataclass(frozen=True, eq=False)
class Later(Evidence):
    """As a later release may have it."""

    fame: Popularity | None = None


def test_a_version_without_a_later_kind_is_opened_and_does_without(
    evidence: Evidence, tmp_path: Path
) -> None:
    save_record(evidence, tmp_path)

    opened = open_record(Later, tmp_path)

    assert list(opened.kinds) == list(evidence.kinds)


def test_a_later_kind_is_fitted_and_kept_like_all_others(tmp_path: Path) -> None:
    params = Later.params_class()(als=PARAMS.als)
    save_record(Later.fit(DATA, params, seed=1, tools=TOOLS), tmp_path)

    opened = open_record(Later, tmp_path)

    np.testing.assert_array_equal(opened.kinds["fame"].score(HISTORY).scores, opened.popularity.popularity)


def test_a_kind_s_parameters_stand_under_its_name_and_are_refused_under_another() -> None:
    params = EvidenceParams.model_validate({"neighbours": {"n_neighbours": 3}})

    assert params.neighbours == NeighboursParams(n_neighbours=3)
    assert (params.als, params.popularity) == (AlsParams(), Options())
    with pytest.raises(ValidationError, match="n_neighbours"):
        EvidenceParams.model_validate({"als": {"n_neighbours": 3}})


def test_only_training_imports_what_trains() -> None:
    code = "import sys, evidence.registry; sys.exit('implicit' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
