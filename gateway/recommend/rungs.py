"""The ways to find books, each a rung of a ladder: best-first pages of candidates, fetched as read."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from contracts import als, similarity
from contracts.shell import MAX_BOOKS, ScoredBooks
from gateway.mesh.errors import UpstreamError
from gateway.mesh.view import MeshView
from gateway.recommend.blend import as_scored, stream_blend
from gateway.recommend.snapshot import Snapshot
from gateway.recommend.threshold import Scored

Page = Sequence[Scored]
Pages = AsyncGenerator[Page, None]
History = Sequence[tuple[int, float | None]]

DEEPENING: Final = 4
"""By how much each further look into a list goes deeper than the one before."""


@dataclass(frozen=True)
class Rung:
    """One way to find books; `mode` is what a response says when it served this way.

    `pages` raises what its servers raise, and adds to the set that it is given what it could do without.
    """

    mode: str
    pages: Callable[[MeshView, set[str]], Pages]
    snapshot: Snapshot | None = None
    """Where the books and their cards come from, if not from the servers."""


def first_look(k: int, n_excluded: int = 0) -> int:
    """How many candidates to ask for at first, so that exclusions and the author limit seldom need more."""
    return min(MAX_BOOKS, 2 * k + 20 + min(n_excluded, 500))


def by_history(
    history: History, *, exclude: Collection[int], k: int, popularity_weight: float | None
) -> Rung:
    """The als server's ranking for whoever has this history."""
    read = [als.HistoryBook(book_id=book_id, rating=rating) for book_id, rating in history[-MAX_BOOKS:]]
    unwanted = sorted(exclude)[:MAX_BOOKS]

    async def fetch(view: MeshView, n: int) -> ScoredBooks:
        request = als.RankRequest(history=read, k=n, exclude=unwanted, popularity_weight=popularity_weight)
        return await view.rank(request)

    return Rung("collaborative", lambda view, _: _deepen(view, fetch, first_look(k)))


def by_subjects(
    find_subjects: Callable[[], Awaitable[Sequence[str]]],
    *,
    popularity_weight: float,
    k: int,
    n_excluded: int,
) -> Rung:
    """Books near a set of subjects, blended with popularity; near them alone while metadata is lost."""
    first = first_look(k, n_excluded)

    async def pages(view: MeshView, losses: set[str]) -> Pages:
        subjects = await find_subjects()
        if not subjects:
            return
        embedded = await view.embed(subjects)
        if not embedded.known:
            return
        try:
            async for blended in stream_blend(view, embedded.vector, popularity_weight, first=first):
                yield blended
        except UpstreamError as error:
            if error.server != "metadata":
                raise
            losses.add("metadata")

            async def fetch(view: MeshView, n: int) -> ScoredBooks:
                return await view.nearest(embedded.vector, n)

            async for page in _deepen(view, fetch, first):
                yield page

    return Rung("subjects", pages)


def similar_to(
    book_id: int, *, mode: similarity.SimilarMode, weight: float, exclude: Collection[int], k: int
) -> Rung:
    """The similarity server's neighbours of a book."""
    unwanted = sorted(exclude)[:MAX_BOOKS]

    async def fetch(view: MeshView, n: int) -> ScoredBooks:
        return await view.similar(
            similarity.SimilarRequest(book_id=book_id, mode=mode, weight=weight, k=n, exclude=unwanted)
        )

    return Rung(mode, lambda view, _: _deepen(view, fetch, first_look(k)))


def by_popularity(
    k: int, n_excluded: int, *, find_subject: Callable[[], Awaitable[str | None]] | None = None
) -> Rung:
    """The metadata server's most popular books, of a subject if one is found."""

    async def pages(view: MeshView, _: set[str]) -> Pages:
        subject = await find_subject() if find_subject else None
        if find_subject and subject is None:
            return
        offset, n = 0, first_look(k, n_excluded)
        while True:
            answer = await view.popular(n, offset=offset, subject=subject)
            yield as_scored(answer)
            if len(answer.book_ids) < n:
                return
            offset, n = offset + n, min(MAX_BOOKS, n * DEEPENING)

    return Rung("popular", pages)


def by_keyword(text: str, *, k: int, n_excluded: int) -> Rung:
    """The metadata server's keyword search."""

    async def fetch(view: MeshView, n: int) -> ScoredBooks:
        return await view.search(text, n)

    return Rung("keyword", lambda view, _: _deepen(view, fetch, first_look(k, n_excluded)))


def by_meaning(text: str, *, k: int, n_excluded: int) -> Rung:
    """The semantic server's search."""

    async def fetch(view: MeshView, n: int) -> ScoredBooks:
        return await view.search_by_meaning(text, n)

    return Rung("semantic", lambda view, _: _deepen(view, fetch, first_look(k, n_excluded)))


def from_snapshot(snapshot: Snapshot, subject: str | None = None) -> Rung:
    """The popular books that the gateway keeps: nobody is asked."""

    async def pages(_view: MeshView, _losses: set[str]) -> Pages:
        if snapshot.books:
            yield snapshot.of_subject(subject)

    return Rung("popular", pages, snapshot)


async def _deepen(
    view: MeshView, fetch: Callable[[MeshView, int], Awaitable[ScoredBooks]], first: int
) -> Pages:
    """Pages of a list that can only be asked for from its beginning: each look goes deeper than the last."""
    n, n_read = first, 0
    while True:
        books = as_scored(await fetch(view, n))
        yield books[n_read:]
        if len(books) < n or n == MAX_BOOKS:
            return
        n_read, n = n, min(MAX_BOOKS, n * DEEPENING)
