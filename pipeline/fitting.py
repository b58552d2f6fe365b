"""Steps 4 to 8 on any fold: what is judged, compared and tuned is fitted like what ships."""

from dataclasses import dataclass
from pathlib import Path

from evidence.registry import Evidence, EvidenceParams
from foundation.serving_rules import ServingRules
from foundation.tools import Tools
from pipeline.ranking.newcomers import NewcomerBlend, blend_newcomers, fit_newcomers, tune_newcomers
from pipeline.records import Aggregates, Export, Fold, Split
from pipeline.settings import SubjectsParams, TrainOptions
from pipeline.stepping.stepper import Stepper
from pipeline.steps.s4_aggregate import aggregate
from pipeline.steps.s5_subjects import learn_subjects
from pipeline.steps.s6_als import fit_evidence
from pipeline.steps.s7_ranker import Ranking, learn_ranking
from pipeline.steps.s8_index import Index, index_books
from servers.als.newcomers import Newcomers
from servers.embedder.model import EmbedderModel


@dataclass(frozen=True, eq=False)
class Fitted:
    """What steps 4, 5, 6 and 8 leave on one set of interactions."""

    fold: Fold
    aggregates: Aggregates
    embedder: EmbedderModel
    evidence: Evidence
    newcomers: Newcomers
    index: Index


@dataclass(frozen=True, eq=False)
class Fitter:
    """Fits the models of a fold, named by its `data`, and keeps them by a stepper."""

    options: TrainOptions
    rules: ServingRules
    stepper: Stepper
    workspace: Path

    def tune(self, folds: Split, evidence: Evidence) -> Ranking:
        """Step 7, by evidence of the inner fold."""
        return self.stepper.run(
            "ranker", "inner", learn_ranking, folds.inner, folds.inner_held_out, evidence,
            params=self.options.ranker, rules=self.rules, seed=self.options.seed, tools=self.tools("inner"),
        )  # fmt: skip

    def fit_inner_evidence(self, folds: Split, catalog: Export) -> Evidence:
        """Steps 4 and 6 on the inner fold."""
        data, fold = "inner", folds.inner
        return self.fit_evidence(data, fold, self.aggregate(data, fold), catalog)

    def rank(self, folds: Split, evidence: Evidence) -> Ranking:
        """Step 7 by other evidence of the inner fold; its result is not kept."""
        return learn_ranking(
            folds.inner, folds.inner_held_out, evidence,
            params=self.options.ranker, rules=self.rules, seed=self.options.seed, tools=self.tools("inner"),
        )  # fmt: skip

    def tune_newcomers(self, folds: Split, evidence: Evidence, catalog: Export) -> NewcomerBlend:
        """Step 7 for readers without a history, by evidence of the inner fold."""
        return self.stepper.run(
            "ranker", "inner, newcomers", tune_newcomers, folds.inner, folds.inner_held_out,
            evidence, catalog,
            params=self.options.newcomers, rules=self.rules,
        )  # fmt: skip

    def fit(self, data: str, fold: Fold, catalog: Export, newcomers: NewcomerBlend) -> Fitted:
        """Steps 4, 5, 6 and 8 on one set of interactions."""
        aggregates = self.aggregate(data, fold)
        embedder = self.learn_subjects(data, fold, aggregates, catalog)
        evidence = self.fit_evidence(data, fold, aggregates, catalog)
        index = self.index(data, fold, aggregates, embedder, evidence, catalog)
        fitted = self.fit_newcomers(data, fold, evidence, catalog, newcomers)
        return Fitted(fold, aggregates, embedder, evidence, fitted, index)

    def aggregate(self, data: str, fold: Fold) -> Aggregates:
        """Step 4."""
        return self.stepper.run("aggregate", data, aggregate, fold, params=self.options.aggregate)

    def learn_subjects(
        self,
        data: str,
        fold: Fold,
        aggregates: Aggregates,
        catalog: Export,
        *,
        params: SubjectsParams | None = None,
        seed: int | None = None,
    ) -> EmbedderModel:
        """Step 5, by the options' parameters and seed or by others."""
        return self.stepper.run(
            "subjects", data, learn_subjects, fold, aggregates, catalog,
            params=params or self.options.subjects,
            seed=self.options.seed if seed is None else seed,
            tools=self.tools(data),
        )  # fmt: skip

    def fit_evidence(
        self,
        data: str,
        fold: Fold,
        aggregates: Aggregates,
        catalog: Export,
        *,
        params: EvidenceParams | None = None,
        seed: int | None = None,
    ) -> Evidence:
        """Step 6, by the options' parameters and seed or by others."""
        return self.stepper.run(
            "als", data, fit_evidence, fold, aggregates, catalog,
            params=params or self.options.evidence,
            seed=self.options.seed if seed is None else seed,
            tools=self.tools(data),
        )  # fmt: skip

    def index(
        self,
        data: str,
        fold: Fold,
        aggregates: Aggregates,
        embedder: EmbedderModel,
        evidence: Evidence,
        catalog: Export,
    ) -> Index:
        """Step 8."""
        return self.stepper.run(
            "index", data, index_books, fold, aggregates, embedder, evidence, catalog,
            params=self.options.index, seed=self.options.seed, tools=self.tools(data),
        )  # fmt: skip

    def fit_newcomers(
        self, data: str, fold: Fold, evidence: Evidence, catalog: Export, blend: NewcomerBlend
    ) -> Newcomers:
        """What step 6 leaves for readers without a history."""
        newcomers = self.stepper.run(
            "als", f"{data}, newcomers", fit_newcomers, fold, evidence, catalog, params=self.options.newcomers
        )
        return self.stepper.derive(blend_newcomers, newcomers, blend)

    def tools(self, data: str) -> Tools:
        """What a step on this data may use."""
        return Tools(self.options.threads, self.stepper.progress.step_advanced, self.workspace / data)
