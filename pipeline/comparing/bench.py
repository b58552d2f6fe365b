"""One trial: what models learn from, who is measured, and our models, each fitted when it is asked for."""

from dataclasses import dataclass
from functools import cached_property

from evidence.registry import Evidence
from foundation.arrays import I64
from foundation.serving_rules import ServingRules
from pipeline.comparing.protocols import Trial
from pipeline.evaluation.lists import SubjectsOf, list_subjects, serve_collaborative
from pipeline.evaluation.users import EvaluationUsers
from pipeline.fitting import Fitter
from pipeline.models.fold_models import FoldModels, build_als, build_fold_models
from pipeline.models.subject_sets import SubjectSets, collect_subject_sets
from pipeline.records import Aggregates, Export, Fold, Split
from pipeline.settings import TrainOptions
from pipeline.steps.s7_ranker import Ranking
from pipeline.steps.s8_index import Index
from servers.als.model import AlsModel
from servers.als.newcomers import Newcomers
from servers.embedder.model import EmbedderModel

DATA = "train"
"""Names the fold that models are fitted to."""


@dataclass(frozen=True, eq=False)
class Bench:
    """All that a contestant may look at."""

    fitter: Fitter
    catalog: Export
    trial: Trial
    users: EvaluationUsers
    k: int
    """Books of a list."""

    @property
    def folds(self) -> Split:
        return self.trial.folds

    @property
    def fold(self) -> Fold:
        """What models may see."""
        return self.trial.folds.train

    @property
    def options(self) -> TrainOptions:
        return self.fitter.options

    @property
    def rules(self) -> ServingRules:
        return self.fitter.rules

    @cached_property
    def aggregates(self) -> Aggregates:
        return self.fitter.aggregate(DATA, self.fold)

    @cached_property
    def evidence(self) -> Evidence:
        return self.fitter.fit_evidence(DATA, self.fold, self.aggregates, self.catalog)

    @cached_property
    def inner_evidence(self) -> Evidence:
        return self.fitter.fit_inner_evidence(self.folds, self.catalog)

    @cached_property
    def ranking(self) -> Ranking:
        """Learned on the inner fold."""
        return self.fitter.tune(self.folds, self.inner_evidence)

    @cached_property
    def newcomers(self) -> Newcomers:
        """What readers without a history are ranked for by."""
        blend = self.fitter.tune_newcomers(self.folds, self.inner_evidence, self.catalog)
        return self.fitter.fit_newcomers(DATA, self.fold, self.evidence, self.catalog, blend)

    @cached_property
    def als(self) -> AlsModel:
        """What the als server would serve."""
        return build_als(self.fold, self.evidence, self.ranking.params, self.ranking.ranker)

    @cached_property
    def embedder(self) -> EmbedderModel:
        return self.fitter.learn_subjects(DATA, self.fold, self.aggregates, self.catalog)

    @cached_property
    def models(self) -> FoldModels:
        """What readers without a history are served by."""
        return build_fold_models(
            self.folds, self.catalog, self.embedder, self.evidence,
            self.ranking.params, self.ranking.ranker, self.newcomers,
        )  # fmt: skip

    @cached_property
    def index(self) -> Index:
        """What look-ups of similar books are answered by."""
        return self.fitter.index(DATA, self.fold, self.aggregates, self.embedder, self.evidence, self.catalog)

    @cached_property
    def subjects(self) -> SubjectsOf:
        """Of each book, as far as lists need them."""
        return list_subjects(self.catalog, self.rules)

    def serve(self, model: AlsModel, **changed: float) -> list[I64]:
        """Each user's list by a model, by the rules of serving but for those that are changed."""
        rules = self.rules.model_copy(update=changed)
        return serve_collaborative(model, self.users, self.k, rules, self.subjects)

    @cached_property
    def subject_sets(self) -> SubjectSets:
        """Of the fold's books."""
        return collect_subject_sets(self.catalog.book_subjects, self.catalog.subjects, self.fold.book_ids)
