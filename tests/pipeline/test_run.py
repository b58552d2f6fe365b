import json
import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from sqlalchemy import delete, insert

from catalog.tables import Rating
from contracts.similarity import SimilarMode
from evidence.registry import Evidence
from foundation.lock import hold_lock
from foundation.release import RELEASE
from foundation.serving_rules import ServingRules
from pipeline.errors import AlreadyTraining, TooFewRatings
from pipeline.models.fold_models import GATE_OWNER, FoldModels
from pipeline.report import RunReport
from pipeline.settings import GateParams, RankerParams
from pipeline.stepping.cache import StepCache
from pipeline.stepping.progress import Progress, StepRun
from pipeline.stepping.stepper import STEPS
from pipeline.steps.s7_ranker import Ranking
from servers.als.model import AlsModel
from servers.embedder.model import EmbedderModel
from servers.metadata.model import MetadataModel
from servers.semantic.model import SemanticModel
from servers.similarity.model import SimilarityModel
from tests.pipeline.catalogs import club_pairs, club_works
from tests.pipeline.conftest import Home, opened_home

Trained = tuple[Home, RunReport]


class CrashingBefore(Progress):
    """Stands for a power cut: the run ends where this step would begin."""

    def __init__(self, name: str, data: str) -> None:
        self.at = (name, data)

    def step_started(self, number: int, name: str, data: str) -> None:
        if (name, data) == self.at:
            raise KeyboardInterrupt


def load(home: Home, version: str, owner: str, cls: type) -> object:
    return home.store.load(home.store.manifest(version), owner, cls).record


def test_a_run_does_all_nine_steps_in_order_and_promotes_what_passes(trained: Trained) -> None:
    home, report = trained

    assert report.promoted and home.store.current() == report.version
    assert {run.name for run in report.steps} == set(STEPS)
    assert [run.name for run in report.steps if run.data == "train"] == [
        "aggregate", "subjects", "als", "index", "gate",
    ]  # fmt: skip
    assert not any(run.reused for run in report.steps)
    assert home.store.verify(report.version) == []


def test_a_version_names_the_release_that_sealed_it(trained: Trained) -> None:
    home, report = trained

    manifest = home.store.manifest(report.version)

    assert manifest.release == RELEASE
    assert re.fullmatch(r"[0-9.]+\+[0-9a-f]{12}", manifest.code_revision)


def test_a_version_and_its_report_tell_what_each_kind_of_evidence_finds_alone(trained: Trained) -> None:
    home, report = trained
    manifest = home.store.manifest(report.version)

    alone = manifest.metrics["inner_recall_alone@30"]

    assert isinstance(alone, dict) and set(alone) == set(Evidence.classes())
    assert alone["als"] > alone["popularity"] > 0
    assert report.metrics == manifest.metrics


def test_a_version_names_the_parameters_of_each_kind_of_evidence(trained: Trained) -> None:
    home, report = trained

    params = home.store.manifest(report.version).params["evidence"]

    assert params == home.settings.train.evidence.model_dump(mode="json")
    assert set(params) == set(Evidence.classes())


def test_the_als_server_recommends_the_readers_own_club(trained: Trained) -> None:
    home, report = trained
    model = load(home, report.version, "als", AlsModel)
    assert isinstance(model, AlsModel)

    book_ids, _ = model.rank([1, 4, 7], [None, 9.0, 8.0], k=10)

    assert set(book_ids) <= set(range(1, 21))


def test_similar_books_are_of_the_same_club_by_either_vector(trained: Trained) -> None:
    home, report = trained
    model = load(home, report.version, "similarity", SimilarityModel)
    assert isinstance(model, SimilarityModel)

    for mode in get_args(SimilarMode):
        book_ids, _ = model.similar(25, mode=mode, weight=0.5, k=10)
        assert set(book_ids) <= set(range(21, 41))


def test_subjects_lead_to_the_books_of_that_subject(trained: Trained) -> None:
    home, report = trained
    embedder = load(home, report.version, "embedder", EmbedderModel)
    similarity = load(home, report.version, "similarity", SimilarityModel)
    assert isinstance(embedder, EmbedderModel) and isinstance(similarity, SimilarityModel)

    vector, _, unknown = embedder.embed(["rockets"])

    assert unknown == []
    assert set(similarity.nearest(vector.tolist(), k=20)[0]) == set(range(41, 61))


def test_cards_counts_and_texts_tell_of_all_ratings(trained: Trained) -> None:
    home, report = trained
    metadata = load(home, report.version, "metadata", MetadataModel)
    semantic = load(home, report.version, "semantic", SemanticModel)
    assert isinstance(metadata, MetadataModel) and isinstance(semantic, SemanticModel)

    (card,) = metadata.find_cards([3])

    assert card["title"] == "Book 0-2" and card["authors"] == ["Author 0-1"]
    assert (card["main_subject"], card["subjects"]) == ("Dragons", ["Dragons", "Fiction"])
    assert sum(each["n_ratings"] for each in metadata.find_cards(range(1, 81))) == 1200
    assert 3 in metadata.search("book 0-2", k=5)[0]
    assert set(semantic.search("a pot of soup", k=20)[0]) == set(range(61, 81))


def test_the_folds_models_are_kept_and_never_saw_what_is_held_out(trained: Trained) -> None:
    home, report = trained
    fold = load(home, report.version, GATE_OWNER, FoldModels)
    assert isinstance(fold, FoldModels)

    served = load(home, report.version, "als", AlsModel)
    assert isinstance(served, AlsModel)
    # The square root of its readers stands in each book's row of authors.
    in_fold, in_all = ((each.evidence.authors.book_authors.data**2).sum() for each in (fold.als, served))
    assert in_fold < in_all == pytest.approx(1200)
    assert fold.als.book_ids.size == 80 and fold.reader_ids.size > 100


def test_a_second_run_over_the_same_data_computes_nothing_but_the_comparison(home: Home) -> None:
    first = home.train()

    second = home.train()

    assert {run.name for run in second.steps if not run.reused} == {"gate"}
    checks = {check.name: check for check in second.verdict.checks}
    assert checks["recall_over_current"].value == pytest.approx(0)
    assert second.metrics["recall@30"] == first.metrics["recall@30"]


def test_a_crashed_run_resumes_where_it_stopped(home: Home) -> None:
    with pytest.raises(KeyboardInterrupt):
        home.train(progress=CrashingBefore("index", "train"))
    assert home.store.current() is None

    report = home.train()

    assert report.promoted
    before = [
        run for run in report.steps if run.data in ("inner", "train") and run.name not in ("index", "gate")
    ]
    assert before and all(run.reused for run in before)
    assert [run.reused for run in report.steps if (run.name, run.data) == ("index", "train")] == [False]


def test_from_step_repeats_that_step_and_those_after_it(home: Home) -> None:
    home.train()

    report = home.train(from_step="als")

    repeated = {run.name for run in report.steps if not run.reused}
    assert repeated == {"als", "ranker", "index", "gate"}


def test_an_operators_author_limit_changes_what_is_tuned_and_judged(home: Home) -> None:
    short = {"ranker": RankerParams(k=5), "gate": GateParams(k=5)}
    train = home.settings.train.model_copy(update=short)
    cache = StepCache(home.settings.steps_path)
    reports, blends = [], []
    for limit in (2, 1):
        changed = {"train": train, "serving": ServingRules(author_limit=limit)}
        reports.append(replace(home, settings=home.settings.model_copy(update=changed)).train())
        blends.append(cache.find(str(cache.newest("ranker")), Ranking))

    assert {run.name for run in reports[1].steps if not run.reused} == {"ranker", "gate"}
    assert reports[0].metrics["recall@5"] != reports[1].metrics["recall@5"]
    assert blends[0] and blends[1] and blends[0].blend.recall != blends[1].blend.recall


def test_from_step_works_on_the_data_of_the_last_run(home: Home) -> None:
    first = home.train()
    with home.db.session(write=True) as session:
        session.execute(delete(Rating).where(Rating.user_id == 1))

    repeated, afresh = home.train(from_step="ranker"), home.train()

    assert repeated.cleaning == first.cleaning == {**afresh.cleaning, "read": 1200, "kept": 1200}
    assert afresh.cleaning["kept"] == 1190


def test_a_new_rating_repeats_everything_that_depends_on_it(home: Home) -> None:
    home.train()
    with home.db.session(write=True) as session:
        session.execute(insert(Rating), {"user_id": 1, "book_id": 80, "rating": 3.0})

    report = home.train()

    assert not any(run.reused for run in report.steps if run.name in ("export", "clean", "als"))


def test_equal_inputs_give_equal_bytes(trained: Trained, home: Home) -> None:
    first, first_report = trained

    second_report = home.train()

    def digests(of: Home, version: str) -> dict[str, str]:
        objects = of.store.manifest(version).objects
        # tantivy names its segments at random.
        return {
            entry.name: entry.digest
            for entry in objects
            if "text_index" not in entry.name.split("/")[1:] or entry.owner != "metadata"
        }

    assert digests(home, second_report.version) == digests(first, first_report.version)
    assert second_report.metrics == first_report.metrics


def test_results_that_no_run_uses_any_more_are_removed(home: Home) -> None:
    home.train()
    n_kept = len(list(home.settings.steps_path.iterdir()))
    with home.db.session(write=True) as session:
        session.execute(delete(Rating).where(Rating.user_id == 2))

    home.train()

    assert len(list(home.settings.steps_path.iterdir())) == n_kept


def test_models_trained_on_shuffled_labels_are_refused_and_the_version_stays(home: Home) -> None:
    good = home.train()
    rng = np.random.default_rng(1)
    pairs = club_pairs(np.random.default_rng(0))
    shuffled = rng.permutation([book_id for _, book_id, _ in pairs])
    rows = {
        (user_id, int(book_id)): rating for (user_id, _, rating), book_id in zip(pairs, shuffled, strict=True)
    }
    with home.db.session(write=True) as session:
        session.execute(delete(Rating))
        session.execute(
            insert(Rating),
            [{"user_id": u, "book_id": b, "rating": rating} for (u, b), rating in sorted(rows.items())],
        )

    report = home.train()

    assert not report.promoted
    assert {"recall_over_popularity", "learned_evidence"} <= set(report.failed_checks)
    assert home.store.current() == good.version
    assert not home.store.manifest(report.version).gate.passed


def test_a_second_training_in_the_same_home_says_so_and_stops(home: Home) -> None:
    with (
        hold_lock(home.settings.lock_path, AlreadyTraining),
        pytest.raises(AlreadyTraining, match="training or refreshing already") as refusal,
    ):
        home.train()

    assert refusal.value.pid is not None
    assert home.train().promoted


def test_too_few_ratings_are_refused_with_what_is_needed(tmp_path: Path) -> None:
    pairs = club_pairs(np.random.default_rng(0), n_users=12)
    with opened_home(tmp_path, club_works(), pairs) as small:
        with pytest.raises(TooFewRatings, match="12 readers have at least 5 ratings, training needs 20"):
            small.train()

        assert small.store.manifests() == []


def test_an_empty_catalog_is_refused(tmp_path: Path) -> None:
    with (
        opened_home(tmp_path, club_works(), []) as empty,
        pytest.raises(TooFewRatings, match=r"^0 readers"),
    ):
        empty.train()


def test_a_catalog_without_subjects_and_authors_trains_all_the_same(tmp_path: Path) -> None:
    works = [type(work)(work.title, None, ()) for work in club_works()]

    with opened_home(tmp_path, works, club_pairs(np.random.default_rng(0))) as bare:
        assert bare.train().promoted


def test_a_catalog_of_implicit_ratings_alone_trains_all_the_same(tmp_path: Path) -> None:
    pairs = [(user_id, book_id, None) for user_id, book_id, _ in club_pairs(np.random.default_rng(0))]

    with opened_home(tmp_path, club_works(), pairs) as implicit:
        assert implicit.train().promoted


def test_the_report_is_written_as_json(trained: Trained) -> None:
    home, report = trained

    (path,) = home.settings.reports_path.glob("train-*.json")

    written = json.loads(path.read_text())
    assert written["version"] == report.version
    assert written["verdict"]["passed"] is True
    assert [StepRun(**run) for run in written["steps"]] == list(report.steps)
