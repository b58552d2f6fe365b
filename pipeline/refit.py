"""Checks what ships: the models fitted to everything, against the candidate that the gate judged.

Nobody can measure the recall of a refit, which has seen what is held out. But it must be whole, of the judged
candidate's size, and must answer much as that does. The bounds stand well below what honest refits showed, of
the demo, of generated catalogs and of Book-Crossing, and well above what a damaged one shows.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final

import numpy as np

from artifacts.manifest import GateCheck, GateVerdict
from contracts.similarity import SimilarMode
from evidence.kind import read_history
from evidence.registry import EvidenceParams
from foundation.arrays import F16, F32, I64, top_k
from foundation.tools import Tools
from pipeline.evaluation.users import EvaluationUsers, choose_users
from pipeline.judging.checks import check_least
from pipeline.judging.completeness import check_complete
from pipeline.judging.trained import check_trained
from pipeline.models.served import Served, list_arrays
from pipeline.models.vector_index import ANN_K, measure_ann_recall
from pipeline.records import Export, Fold, Split
from pipeline.settings import GateParams
from pipeline.steps.s9_gate import Gate
from servers.als.model import AlsModel
from servers.errors import BookUnknown, ServerError, VectorMissing
from servers.similarity.model import SimilarityModel

MIN_NORM_RATIO: Final = 0.25
"""Of the root mean squares of each array, the smaller over the larger; honest refits had .64 or more."""
MIN_AGREEMENT: Final = 0.15
"""Share of a list's books that both models put there; honest refits had .31 or more, shuffled rows .01."""
LIST_LENGTH: Final = 30
MODES: Final[tuple[SimilarMode, ...]] = ("als", "subject")
N_SAMPLED: Final = 100
"""Readers whose lists are compared, and books whose similar ones are."""


def check_refit(
    refit: Served,
    judged: Served,
    folds: Split,
    everything: Fold,
    catalog: Export,
    *,
    params: GateParams,
    evidence: EvidenceParams,
    seed: int,
    tools: Tools,
) -> Gate:
    """The verdict on a refit; its lists are compared only if it is whole and answers."""
    checks = [_check_finite(refit), _check_norms(refit, judged), _check_vocabulary(refit, judged)]
    users = choose_users(folds.train, folds.held_out, at_most=N_SAMPLED)
    checks.append(_check_answers(refit, judged, users))
    if all(check.passed for check in checks):
        checks += _check_indexes(refit.similarity, params.min_ann_recall, np.random.default_rng(seed))
        checks += _check_agreement(refit, judged, users)
        checks.append(
            check_trained(refit.als.evidence, everything, evidence, seed=seed, tools=tools, prefix="refit_")
        )
        checks += check_complete(refit, catalog, prefix="refit_")
    return Gate(verdict=GateVerdict.of(*checks).model_dump(mode="json"), metrics={})


def _check_finite(refit: Served) -> GateCheck:
    broken = {name: int((~np.isfinite(values)).sum()) for name, values in list_arrays("", refit)}
    n_broken = sum(broken.values())
    where = ", ".join(name for name, n in broken.items() if n) or f"{len(broken)} arrays are whole"
    name, detail = "refit_finite", f"numbers that are none: {where}"
    return GateCheck(name=name, value=n_broken, threshold=0, passed=n_broken == 0, detail=detail)


def _check_norms(refit: Served, judged: Served) -> GateCheck:
    expected = {name: _root_mean_square(values) for name, values in list_arrays("", judged)}
    actual = {name: _root_mean_square(values) for name, values in list_arrays("", refit)}
    ratios = {name: _ratio(actual.get(name, 0.0), size) for name, size in expected.items()}
    worst = min(ratios, key=ratios.__getitem__)
    what = f"of the judged candidate's and its own root mean square, smaller over larger; least: {worst}"
    return check_least("refit_norms", ratios[worst], MIN_NORM_RATIO, what)


def _check_vocabulary(refit: Served, judged: Served) -> GateCheck:
    known = np.isin(judged.als.book_ids, refit.als.book_ids).mean()
    return check_least("refit_vocabulary", known, 1.0, "share of the judged candidate's books that it knows")


def _check_answers(refit: Served, judged: Served, users: EvaluationUsers) -> GateCheck:
    expected = {name: ask for name, ask in _list_requests(judged, users).items() if _answers(ask)}
    asked = _list_requests(refit, users)
    silent = [name for name in expected if not _answers(asked[name])]
    detail = f"of {', '.join(expected)}, which answer for the judged candidate, without an answer: "
    share = 1 - len(silent) / len(expected)
    return check_least("refit_answers", share, 1.0, detail + (", ".join(silent) or "none"))


def _check_indexes(
    similarity: SimilarityModel, least: float, rng: np.random.Generator
) -> Iterator[GateCheck]:
    index, what = similarity.hybrid_index, "share of the exact nearest that the index finds"
    vectors = index.reconstruct_n(0, index.ntotal)
    halves = np.split(vectors, [similarity.dims["subject"]], axis=1)
    graphs = {"subject": similarity.subject_index, "als": similarity.als_index}
    for (name, graph), half in zip(graphs.items(), halves, strict=True):
        recall = measure_ann_recall(graph, half, ANN_K, rng)
        yield check_least(f"refit_ann_recall_{name}", recall, least, what)


def _check_agreement(refit: Served, judged: Served, users: EvaluationUsers) -> Iterator[GateCheck]:
    # Of a small catalog any two long lists have much in common.
    k = max(1, min(LIST_LENGTH, judged.als.book_ids.size // 10))
    known, overlaps = judged.als.book_ids, defaultdict(list)
    for history, ratings in zip(users.histories, users.ratings, strict=True):
        expected = _rank_by_kind(judged.als, history, ratings, k)
        actual = _rank_by_kind(refit.als, history, ratings, 2 * k)
        for name, books in expected.items():
            overlaps[name].append(_overlap(books, actual[name], known))
        for mode in MODES:
            with suppress(VectorMissing, BookUnknown):  # a hidden book has no place in the indexes
                books, found = (
                    each.similar(int(history[0]), mode=mode, weight=0.5, k=depth)[0]
                    for each, depth in ((judged.similarity, k), (refit.similarity, 2 * k))
                )
                overlaps[f"similar_{mode}"].append(_overlap(books, found, known))
    what = f"share of the first {k} books that are the judged candidate's too, over {users.size} readers"
    for name, shares in overlaps.items():
        yield check_least(f"refit_agreement_{name}", float(np.mean(shares)), MIN_AGREEMENT, what)


def _rank_by_kind(model: AlsModel, history_ids: I64, ratings: F32, k: int) -> dict[str, I64]:
    """The k best books of each kind of evidence, and of their blend."""
    history, kinds = read_history(model.book_ids, history_ids, ratings), tuple(model.evidence.kinds)
    scores = model.score_kinds(history)
    blend = np.array([model.params["blend"].get(name, 0.0) for name in kinds], dtype=np.float32)
    rows = dict(zip(("lists", *kinds), (blend @ scores, *scores), strict=True))
    for row in rows.values():
        row[history.item_idx] = -np.inf
    return {name: model.book_ids[top_k(row, k)] for name, row in rows.items()}


def _overlap(expected: I64, actual: I64, known: I64) -> float:
    """Share of the expected that is among as many of the actual, of books that the judged candidate knows."""
    expected = expected[np.isin(expected, known)]
    comparable = actual[np.isin(actual, known)][: expected.size]
    return float(np.isin(expected, comparable).mean()) if expected.size else 1.0


def _list_requests(served: Served, users: EvaluationUsers) -> dict[str, Callable[[], Any]]:
    """One request to each model."""
    history, ratings = users.histories[0], users.ratings[0]
    book_id = int(history[0])
    similarity, metadata = served.similarity, served.metadata
    return {
        "embedder": lambda: served.embedder.embed(served.embedder.subjects[:3])[0],
        "similarity": lambda: similarity.similar(book_id, mode="als", weight=1, k=1)[1],
        "als": lambda: served.als.rank(history, ratings, k=1)[1],
        "metadata": lambda: metadata.popular(k=1)[1] if metadata.find_cards([book_id]) else [],
        "semantic": lambda: served.semantic.search(metadata.find_cards([book_id])[0]["title"], k=1)[1],
    }


def _answers(ask: Callable[[], Any]) -> bool:
    try:
        scores = np.asarray(ask())
    except (ServerError, ArithmeticError, LookupError, RuntimeError, ValueError):
        return False
    return bool(scores.size and np.isfinite(scores).all())


def _root_mean_square(values: F16 | F32) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64)))) if values.size else 0.0


def _ratio(left: float, right: float) -> float:
    """The smaller over the larger; 1 for two zeros, 0 for anything that is no number."""
    if left == right:
        return 1.0
    return float(np.nan_to_num(min(left, right) / max(left, right), nan=0.0))
