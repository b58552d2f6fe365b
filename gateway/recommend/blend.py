"""Feeds the threshold algorithm from the similarity and the metadata server, only as deep as it needs."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

from contracts.shell import MAX_BOOKS, ScoredBooks
from gateway.mesh.view import MeshView
from gateway.recommend.threshold import Scored, ThresholdBlend

SIMILARITY: Final = 0
POPULARITY: Final = 1


async def stream_blend(
    view: MeshView, vector: Sequence[float], popularity_weight: float, *, first: int
) -> AsyncIterator[list[Scored]]:
    """Books by (1 − w) · similarity to a vector + w · popularity, best first.

    Exact up to MAX_BOOKS into both lists, the most that the contracts allow. Raises what the calls raise.
    """
    blend = ThresholdBlend(1 - popularity_weight)
    n_read, depth = 0, first
    while not blend.is_done:
        near, popular = await asyncio.gather(
            view.nearest(vector, depth), view.popular(depth - n_read, offset=n_read)
        )
        is_end = depth == MAX_BOOKS
        blend.extend(SIMILARITY, as_scored(near)[n_read:], closed=is_end or len(near.book_ids) < depth)
        blend.extend(POPULARITY, as_scored(popular), closed=is_end or len(popular.book_ids) < depth - n_read)
        await _look_up(blend, view, vector)
        if taken := blend.take():
            yield taken
        n_read, depth = depth, min(MAX_BOOKS, 2 * depth)


def as_scored(books: ScoredBooks) -> list[Scored]:
    """The two lists of a message as one."""
    return [Scored(*book) for book in zip(books.book_ids, books.scores, strict=True)]


async def _look_up(blend: ThresholdBlend, view: MeshView, vector: Sequence[float]) -> None:
    """Random access: the scores that only one of the two lists has shown."""
    no_similarity, no_popularity = blend.missing(SIMILARITY), blend.missing(POPULARITY)

    async def learn_similarity() -> None:
        if no_similarity:
            blend.learn(SIMILARITY, dict(as_scored(await view.similarities(vector, no_similarity))))

    async def learn_popularity() -> None:
        if no_popularity:
            blend.learn(POPULARITY, dict(as_scored(await view.popularities(no_popularity))))

    await asyncio.gather(learn_similarity(), learn_popularity())
