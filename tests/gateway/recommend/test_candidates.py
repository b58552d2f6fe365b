"""The sources of candidates, over lists that are longer than the first page of them."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from contracts import als, embedder
from contracts.metadata import BookFilters
from contracts.shell import MAX_BOOKS, ScoredBooks
from gateway.deadline import Deadline
from gateway.mesh.errors import UpstreamUnreachable
from gateway.recommend.candidates import (
    CandidateSource,
    ListRules,
    by_history,
    by_keyword,
    by_popularity,
    by_subjects,
    first_page_size,
)
from gateway.recommend.threshold import Scored

N = 3000
RULES = ListRules(k=10, exclude=frozenset(), author_limit=None, is_padded=True)
SIMILARITY = np.random.default_rng(1).uniform(-0.5, 1, N)
POPULARITY = np.random.default_rng(2).uniform(0, 1, N) ** 3


class _LargeMesh:
    """3,000 books with random scores; notes how deep each list was read."""

    def __init__(self, *, has_metadata: bool = True) -> None:
        self.has_metadata = has_metadata
        self.deadline = Deadline.after(1000)
        self.depth = 0
        self.ranked: list[als.RankRequest] = []

    async def embed(self, subjects: Sequence[str]) -> embedder.EmbedResponse:
        return embedder.EmbedResponse(version="v1", vector=[1.0], known=list(subjects), unknown=[])

    async def nearest(self, _: Sequence[float], k: int) -> ScoredBooks:
        return self._best(SIMILARITY, 0, k)

    async def similarities(self, _: Sequence[float], book_ids: Sequence[int]) -> ScoredBooks:
        return _give(book_ids, SIMILARITY)

    async def popular(self, k: int, *, offset: int = 0, subject: str | None = None) -> ScoredBooks:
        await asyncio.sleep(0)
        if not self.has_metadata:
            raise UpstreamUnreachable("metadata", "down")
        return self._best(POPULARITY, offset, k)

    async def popularities(self, book_ids: Sequence[int]) -> ScoredBooks:
        return _give(book_ids, POPULARITY)

    async def search(self, _: str, k: int, __: BookFilters) -> ScoredBooks:
        return self._best(POPULARITY, 0, k)

    async def rank(self, request: als.RankRequest) -> ScoredBooks:
        self.ranked.append(request)
        return self._best(SIMILARITY, 0, request.k)

    def _best(self, scores: np.ndarray, offset: int, k: int) -> ScoredBooks:
        self.depth = max(self.depth, offset + k)
        return _give(np.argsort(-scores, kind="stable")[offset : offset + k].tolist(), scores)


def _give(book_ids: Sequence[int], scores: np.ndarray) -> ScoredBooks:
    values = [float(scores[book_id]) for book_id in book_ids]
    return ScoredBooks(version="v1", book_ids=list(book_ids), scores=values)


async def _read(
    source: CandidateSource, mesh: _LargeMesh, n: int, degraded: set[str] | None = None
) -> list[Scored]:
    view: Any = mesh
    books: list[Scored] = []
    async for page in source.pages(view, RULES, degraded if degraded is not None else set()):
        books += page
        if len(books) >= n:
            break
    return books[:n]


async def _find_subjects(_: Deadline) -> list[str]:
    return ["Space"]


@pytest.mark.parametrize("weight", [0.0, 0.25, 0.8, 1.0])
@pytest.mark.parametrize("n", [10, 500, N])
async def test_a_blend_over_two_servers_is_that_of_brute_force(weight: float, n: int) -> None:
    source = by_subjects(_find_subjects, popularity_weight=weight)

    books = await _read(source, _LargeMesh(), n)

    expected = np.sort((1 - weight) * SIMILARITY + weight * POPULARITY)[::-1][:n]
    np.testing.assert_allclose([book.score for book in books], expected, rtol=1e-12)
    assert len({book.book_id for book in books}) == n


async def test_the_first_ten_of_a_blend_need_no_deep_reading() -> None:
    mesh = _LargeMesh()

    await _read(by_subjects(_find_subjects, popularity_weight=0.3), mesh, 10)

    assert mesh.depth < N / 2


async def test_without_metadata_subjects_go_on_by_similarity_alone() -> None:
    degraded: set[str] = set()
    source = by_subjects(_find_subjects, popularity_weight=0.5)

    books = await _read(source, _LargeMesh(has_metadata=False), N, degraded)

    assert degraded == {"metadata"}
    np.testing.assert_array_equal([book.score for book in books], np.sort(SIMILARITY)[::-1])


@pytest.mark.parametrize(
    ("source", "scores"),
    [
        (by_history([(1, None)], popularity_weight=None, rating_strength=1.0), SIMILARITY),
        (by_keyword("words"), POPULARITY),
        (by_popularity(), POPULARITY),
    ],
)
async def test_a_list_is_read_to_its_end_without_gap_or_repetition(
    source: CandidateSource, scores: np.ndarray
) -> None:
    mesh = _LargeMesh()

    assert len(await _read(source, mesh, 10)) == 10
    assert mesh.depth == first_page_size(10)
    books = await _read(source, mesh, N)
    assert [book.book_id for book in books] == np.argsort(-scores, kind="stable").tolist()


async def test_of_a_history_that_is_too_long_the_newest_books_count() -> None:
    mesh = _LargeMesh()
    history = [(book_id, 8.0) for book_id in range(MAX_BOOKS + 5)]

    books = await _read(by_history(history, popularity_weight=None, rating_strength=1.0), mesh, 10)

    assert len(books) == 10
    assert [book.book_id for book in mesh.ranked[0].history] == list(range(5, MAX_BOOKS + 5))


async def test_a_server_that_knows_authors_spreads_them_and_what_that_leaves_short_is_of_the_whole() -> None:
    mesh = _LargeMesh()
    rules = replace(RULES, author_limit=2)
    pages = by_history([(1, None)], popularity_weight=None, rating_strength=1.0).pages(mesh, rules, set())

    read = [await anext(pages), await anext(pages)]

    assert [(request.k, request.author_limit) for request in mesh.ranked] == [(15, 2), (40, None)]
    assert [len(page) for page in read] == [15, 40]


async def test_where_lists_must_be_diverse_authors_are_spread_by_who_knows_subjects() -> None:
    mesh = _LargeMesh()
    rules = replace(RULES, author_limit=2, diversity=0.3)
    source = by_history([(1, None)], popularity_weight=None, rating_strength=1.0)

    await anext(source.pages(mesh, rules, set()))

    assert [(request.k, request.author_limit) for request in mesh.ranked] == [(40, None)]
