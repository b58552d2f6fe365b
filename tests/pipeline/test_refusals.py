"""What the gate refuses for certain: the parts of a run that passes, of which one is damaged."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from evidence.als import Als, AlsParams, build_gram, train_factors
from evidence.registry import EvidenceParams
from foundation.arrays import F32
from pipeline import run as night
from pipeline.models.vector_index import build_graph
from pipeline.records import Split
from pipeline.settings import GateParams, IndexParams
from pipeline.steps.s9_gate import Contest, Gate, gate
from servers.graph import VectorGraph
from tests.evidence.test_als import draw_tastes
from tests.pipeline.catalogs import Work
from tests.pipeline.conftest import opened_home

N_BOOKS = 200
ALS = AlsParams(n_factors=16, regularization=10)
LENIENT = GateParams(floor_margin=0.5)
"""So few readers of so mixed tastes are hardly served better than by what is popular."""


@dataclass(frozen=True)
class Passing:
    """What the gate was given by a run that it let pass."""

    contest: Contest
    folds: Split
    inputs: tuple[Any, ...]
    options: dict[str, Any]

    def refusals(self, contest: Contest) -> dict[str, float | None]:
        """Values of the checks that refuse this contest instead."""
        with threadpool_limits(limits=1, user_api="blas"):  # as in training
            judged = gate(contest, self.folds, *self.inputs, **self.options)
        return {check.name: check.value for check in judged.read_verdict().checks if check.failed}


@pytest.fixture(scope="module")
def passing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Passing]:
    seen: list[Passing] = []

    def listen(contest: Contest, folds: Split, *inputs: Any, **options: Any) -> Gate:
        seen.append(Passing(contest, folds, inputs, options))
        return gate(contest, folds, *inputs, **options)

    works = [Work(f"Book {n}", f"Author {n // 4}", (f"Subject {n % 7}",)) for n in range(N_BOOKS)]
    users, books = draw_tastes(np.random.default_rng(5)).nonzero()
    pairs = [(int(user) + 1, int(book) + 1, None) for user, book in zip(users, books, strict=True)]
    with (
        pytest.MonkeyPatch.context() as patch,
        opened_home(tmp_path_factory.mktemp("refusals"), works, pairs) as home,
    ):
        patch.setattr(night, "gate", listen)
        evidence = EvidenceParams.model_validate({"als": ALS.model_dump()})
        options = home.settings.train.model_copy(update={"evidence": evidence, "gate": LENIENT})
        home = replace(home, settings=home.settings.model_copy(update={"train": options}))
        report = home.train()
        assert report.promoted, report.failed_checks
        yield seen[0]


def stopped(after: int) -> Callable[[Passing, F32], F32]:
    """Factors of a run that stopped after so many of its 15 iterations."""

    def train(passing: Passing, _: F32) -> F32:
        params, seed = ALS.model_copy(update={"n_iterations": after}), passing.options["seed"]
        data = passing.folds.train.evidence
        return train_factors(data, params=params, seed=seed, threads=1, advance=lambda share: None)[1]

    return train


def a_tenth_as_drawn(_: Passing, factors: F32) -> F32:
    """Factors of which every tenth row is where training starts."""
    drawn = 0.01 * np.random.default_rng(3).random(factors.shape, dtype=np.float32)
    return np.where(np.arange(len(factors))[:, None] % 10, factors, drawn)


@pytest.mark.parametrize("damage", [stopped(after=1), stopped(after=7), a_tenth_as_drawn])
def test_a_half_trained_als_is_refused(passing: Passing, damage: Callable[[Passing, F32], F32]) -> None:
    contest = passing.contest
    models = contest.candidate.als
    factors = damage(passing, models.evidence.als.item_factors)
    als = Als(factors, build_gram(factors, ALS.regularization), models.evidence.als.params)
    damaged = replace(models, evidence=replace(models.evidence, als=als))

    refused = passing.refusals(replace(contest, candidate=replace(contest.candidate, als=damaged)))

    assert refused["als_trained"] is not None and refused["als_trained"] < 0.91


@pytest.mark.parametrize("name", ["als", "subject"])
def test_an_index_that_lacks_5_percent_of_books_is_refused(passing: Passing, name: str) -> None:
    served = passing.contest.served
    similarity = replace(served.similarity, **{f"{name}_index": without_some(served, name)})

    refused = passing.refusals(replace(passing.contest, served=replace(served, similarity=similarity)))

    assert list(refused) == [f"complete_{name}"]
    assert refused[f"complete_{name}"] == pytest.approx(0.95, abs=0.02)


def without_some(served: Any, name: str) -> VectorGraph:
    """The graph that would be built of 95 % of the vectors."""
    dim = served.similarity.dims["subject"]
    both = served.similarity.vectors.astype(np.float32)
    vectors = both[:, :dim] if name == "subject" else both[:, dim:]
    fewer = np.array(vectors)
    fewer[::20] = 0
    return build_graph(fewer, IndexParams())
