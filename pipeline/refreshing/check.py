"""Checks a refreshed version before anybody is pointed at it: whole, of one size, and it answers."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from artifacts.manifest import GateCheck, GateVerdict
from foundation.arrays import I64, find_rows, top_k
from foundation.text import split_words
from pipeline.models.served import Served, list_arrays
from pipeline.refreshing.changes import BookChanges
from servers.errors import ServerError

N_ASKED: Final = 20
"""Books of each sort that the servers are asked about."""
LIST_LENGTH: Final = 30
MIN_AGREEMENT: Final = 0.8
"""Share of the former version's lists that must come back: most of all books are as they were."""


def check_refresh(renewed: Served, former: Served, changes: BookChanges) -> GateVerdict:
    """The verdict on a refresh; it is asked only if it is whole."""
    checks = [_check_finite(renewed, former), _check_sizes(renewed, changes)]
    if all(check.passed for check in checks):
        checks += [_check_answers(renewed, changes), _check_agreement(renewed, former, changes)]
    return GateVerdict.of(*checks)


def _check_finite(renewed: Served, former: Served) -> GateCheck:
    held = [array for _, array in list_arrays("", former)]  # an id is one array's for as long as that lives
    known = set(map(id, held))
    broken = [
        name
        for name, array in list_arrays("", renewed)
        if id(array) not in known and not np.isfinite(array).all()
    ]
    detail = f"arrays with numbers that are none: {', '.join(broken) or 'none'}"
    return _check("refresh_finite", len(broken), 0, passed=not broken, detail=detail)


def _check_sizes(renewed: Served, changes: BookChanges) -> GateCheck:
    n, similarity, als = changes.book_ids.size, renewed.similarity, renewed.als
    sizes = {
        "cards": renewed.metadata.cards.num_rows,
        "similar books": similarity.hybrid_index.ntotal,
        "similarity": similarity.book_ids.size,
        "semantic": renewed.semantic.book_ids.size,
    }
    kinds = {f"als {name}": kind_rows for name, kind_rows in _list_kind_sizes(renewed)}
    wrong = [f"{name} has {size} for {n}" for name, size in sizes.items() if size != n]
    wrong += [f"{name} has {size}" for name, size in kinds.items() if size != als.book_ids.size]
    detail = f"of {n} books: {'; '.join(wrong) or 'as it should be'}"
    return _check("refresh_sizes", len(wrong), 0, passed=not wrong, detail=detail)


def _list_kind_sizes(renewed: Served) -> Iterator[tuple[str, int]]:
    evidence = renewed.als.evidence
    yield "factors", evidence.als.item_factors.shape[0]
    yield "neighbours", evidence.neighbours.weights.shape[0]
    yield "authors", evidence.authors.book_authors.shape[0]
    yield "popularity", evidence.popularity.popularity.size


def _check_answers(renewed: Served, changes: BookChanges) -> GateCheck:
    told = changes.find("title", "authors", "subjects", "description")[-N_ASKED:]
    popular = renewed.metadata.popular_order[:N_ASKED]
    asked = changes.book_ids[np.union1d(told, popular)]
    silent = [
        f"{what} of {book_id}"
        for book_id in asked.tolist()
        for what, ask in _list_requests(renewed, book_id)
        if not _answers(ask)
    ]
    share = 1 - len(silent) / max(1, 4 * asked.size)
    detail = f"of requests about {asked.size} books; without an answer: {', '.join(silent[:5]) or 'none'}"
    return _check("refresh_answers", share, 1.0, passed=not silent, detail=detail)


def _list_requests(renewed: Served, book_id: int) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What must be found of each book, whatever is told of it."""
    metadata, similarity = renewed.metadata, renewed.similarity
    card = metadata.find_cards([book_id])[0]
    row = int(find_rows(similarity.book_ids, [book_id])[1][0])
    yield "card", lambda: [card["book_id"] == book_id]
    if split_words(card["title"]):
        yield "search", lambda: metadata.search(card["title"], k=1)[1]
    if similarity.vectors[row].any():
        yield "similar books", lambda: similarity.similar(book_id, mode="hybrid", weight=0.5, k=1)[1]
    if find_rows(renewed.als.book_ids, [book_id])[0][0]:
        yield "list", lambda: renewed.als.rank([book_id], [None], k=1)[1]


def _answers(ask: Callable[[], Any]) -> bool:
    try:
        found = np.asarray(ask())
    except (ServerError, ArithmeticError, LookupError, RuntimeError, ValueError):
        return False
    return bool(found.size and np.isfinite(found).all())


def _check_agreement(renewed: Served, former: Served, changes: BookChanges) -> GateCheck:
    is_known, rows = find_rows(former.als.book_ids, changes.book_ids)
    readers = former.als.evidence.popularity.popularity[rows]
    asked = changes.book_ids[is_known][top_k(readers, N_ASKED)]
    shares = [_overlap(renewed, former, book_id, changes.book_ids) for book_id in asked.tolist()]
    detail = f"share of the former lists of readers of one of {len(shares)} popular books that came back"
    share = float(np.mean(shares)) if shares else 1.0
    passed = share >= MIN_AGREEMENT
    return _check("refresh_agreement", share, MIN_AGREEMENT, passed=passed, detail=detail)


def _overlap(renewed: Served, former: Served, book_id: int, shown_ids: I64) -> float:
    expected, actual = (each.als.rank([book_id], [None], k=LIST_LENGTH)[0] for each in (former, renewed))
    expected = expected[np.isin(expected, shown_ids)]
    return float(np.isin(expected, actual).mean()) if expected.size else 1.0


def _check(name: str, value: float, threshold: float, *, passed: bool, detail: str) -> GateCheck:
    return GateCheck(name=name, value=float(value), threshold=threshold, passed=passed, detail=detail)
