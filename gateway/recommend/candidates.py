"""The sources of candidates: each gives pages of scored books, best first, fetched as they are read."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from contracts import als, similarity
from contracts.metadata import ALL_BOOKS, BookFilters
from contracts.shell import MAX_BOOKS, ScoredBooks, ServerName
from gateway.deadline import Deadline
from gateway.mesh.errors import UpstreamError
from gateway.mesh.view import MeshView
from gateway.recommend.blend import as_scored, stream_blend
from gateway.recommend.snapshot import Snapshot
from gateway.recommend.threshold import Scored

Page = Sequence[Scored]
Pages = AsyncGenerator[Page, None]
History = Sequence[tuple[int, float | None]]
WeightedBooks = Sequence[tuple[int, float]]
"""What a reader did something else with than rate, and how much each book counts."""


@dataclass(frozen=True)
class Favourites:
    """What a reader tells of themselves, the dearest first."""

    subjects: Sequence[str] = ()
    author_ids: Sequence[int] = ()
    traits: Sequence[str] = ()
    """As `catalog.traits` names them."""

    def __bool__(self) -> bool:
        return bool(self.subjects or self.author_ids or self.traits)


SPARE: Final = 5
"""Books looked at beyond k, in case the author limit holds some back or they have no card."""
PAGE_GROWTH: Final = 4
"""How many times as deep into a list each further fetch goes as the one before."""


@dataclass(frozen=True)
class ListRules:
    """What a list must keep to."""

    k: int
    exclude: frozenset[int]
    author_limit: int | None
    """In any ten consecutive books; None for a look-up, which shows what was looked for."""
    is_padded: bool
    """Whether the next source fills up what one leaves short; else it is only a fallback for a failed one."""
    diversity: float = 0.0
    """As `ServingRules` has it; 0 for a look-up."""
    withdrawn: frozenset[int] = frozenset()
    """What nobody is shown any more, although a version may know it; servers are not told."""


@dataclass(frozen=True)
class CandidateSource:
    """One way to find candidates; a response names its `mode`.

    `pages` raises what its servers raise, and adds to the set that it is given what it could do without.
    """

    mode: str
    pages: Callable[[MeshView, ListRules, set[str]], Pages]
    server: ServerName | None = None
    """Whose books they are, if a server names them."""
    snapshot: Snapshot | None = None
    """Where the books and their cards come from, if not from the servers."""


def first_page_size(k: int, n_excluded: int = 0) -> int:
    """How many candidates to fetch at first, so that exclusions and the author limit seldom need more.

    n_excluded counts what the gateway has to leave out, because the server does not.
    """
    return min(MAX_BOOKS, 2 * k + 20 + min(n_excluded, 500))


def by_history(
    history: History,
    events: WeightedBooks = (),
    *,
    popularity_weight: float | None,
    rating_strength: float,
    with_history: bool = False,
) -> CandidateSource:
    """The als server's ranking for a history; of one too long for a message, its end counts: the newest."""

    def pages(view: MeshView, rules: ListRules, _: set[str]) -> Pages:
        read = [als.HistoryBook(book_id=book_id, rating=rating) for book_id, rating in history[-MAX_BOOKS:]]
        done = [als.EventBook(book_id=book_id, weight=weight) for book_id, weight in events[:MAX_BOOKS]]
        exclude = sorted(rules.exclude)[:MAX_BOOKS]

        def fetch(n: int, author_limit: int | None) -> Awaitable[ScoredBooks]:
            return view.rank(
                als.RankRequest(
                    history=read,
                    k=n,
                    exclude=exclude,
                    popularity_weight=popularity_weight,
                    rating_strength=rating_strength,
                    events=done,
                    with_history=with_history,
                    author_limit=author_limit,
                )
            )

        return _read_limited(fetch, rules)

    return CandidateSource("collaborative", pages, "als")


def by_favourites(
    find_favourites: Callable[[Deadline], Awaitable[Favourites]], *, popularity_weight: float | None
) -> CandidateSource:
    """The als server's ranking for a reader without a history."""

    async def pages(view: MeshView, rules: ListRules, _: set[str]) -> Pages:
        told = await find_favourites(view.deadline)
        if not told:
            return
        exclude = sorted(rules.exclude)[:MAX_BOOKS]

        def fetch(n: int, author_limit: int | None) -> Awaitable[ScoredBooks]:
            return view.rank_new(
                als.RankNewRequest(
                    subjects=list(told.subjects),
                    author_ids=list(told.author_ids),
                    traits=list(told.traits),
                    k=n,
                    exclude=exclude,
                    popularity_weight=popularity_weight,
                    author_limit=author_limit,
                )
            )

        async for page in _read_limited(fetch, rules):
            yield page

    return CandidateSource("subjects", pages, "als")


def by_subjects(
    find_subjects: Callable[[Deadline], Awaitable[Sequence[str]]], *, popularity_weight: float
) -> CandidateSource:
    """Books near a set of subjects, blended with popularity; nearness alone while metadata is unavailable."""

    async def pages(view: MeshView, rules: ListRules, degraded: set[str]) -> Pages:
        first = first_page_size(rules.k, len(rules.exclude))
        subjects = await find_subjects(view.deadline)
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
            degraded.add(error.blamed)
            async for page in _read_from_start(lambda n: view.nearest(embedded.vector, n), first):
                yield page

    return CandidateSource("subjects", pages, "similarity")


def similar_to(book_id: int, *, mode: similarity.SimilarMode, weight: float) -> CandidateSource:
    """The similarity server's neighbours of a book."""

    def pages(view: MeshView, rules: ListRules, _: set[str]) -> Pages:
        exclude = sorted(rules.exclude)[:MAX_BOOKS]

        def fetch(n: int) -> Awaitable[ScoredBooks]:
            return view.similar(
                similarity.SimilarRequest(book_id=book_id, mode=mode, weight=weight, k=n, exclude=exclude)
            )

        return _read_from_start(fetch, first_page_size(rules.k))

    return CandidateSource(mode, pages, "similarity")


def by_popularity(find_subject: Callable[[Deadline], Awaitable[str | None]] | None = None) -> CandidateSource:
    """The metadata server's most popular books, of a subject if one is found."""

    async def pages(view: MeshView, rules: ListRules, _: set[str]) -> Pages:
        subject = await find_subject(view.deadline) if find_subject else None
        if find_subject and subject is None:
            return
        offset, n = 0, first_page_size(rules.k, len(rules.exclude))
        while True:
            answer = await view.popular(n, offset=offset, subject=subject)
            yield as_scored(answer)
            if len(answer.book_ids) < n:
                return
            offset, n = offset + n, min(MAX_BOOKS, n * PAGE_GROWTH)

    return CandidateSource("popular", pages, "metadata")


def by_isbn(find_book: Callable[[Deadline], Awaitable[int | None]]) -> CandidateSource:
    """The one book that has an ISBN, if any has."""

    async def pages(view: MeshView, _rules: ListRules, _degraded: set[str]) -> Pages:
        if (book_id := await find_book(view.deadline)) is not None:
            yield [Scored(book_id, 1.0)]

    return CandidateSource("keyword", pages)


def by_keyword(text: str, filters: BookFilters = ALL_BOOKS) -> CandidateSource:
    """The metadata server's keyword search."""
    return _by_search("keyword", "metadata", lambda view, n: view.search(text, n, filters))


def by_meaning(text: str) -> CandidateSource:
    """The semantic server's search."""
    return _by_search("semantic", "semantic", lambda view, n: view.search_by_meaning(text, n))


def from_snapshot(snapshot: Snapshot, filters: BookFilters = ALL_BOOKS) -> CandidateSource:
    """The popular books that the gateway keeps: no server is called."""
    return _by_snapshot("popular", snapshot, lambda: snapshot.select(filters))


def search_snapshot(snapshot: Snapshot, text: str, filters: BookFilters = ALL_BOOKS) -> CandidateSource:
    """Those of them that have such words."""
    return _by_snapshot("keyword", snapshot, lambda: snapshot.search(text, filters))


def _by_snapshot(mode: str, snapshot: Snapshot, find: Callable[[], Page]) -> CandidateSource:
    async def pages(_view: MeshView, _rules: ListRules, _degraded: set[str]) -> Pages:
        if snapshot.books:
            yield find()

    return CandidateSource(mode, pages, snapshot=snapshot)


def _by_search(
    mode: str, server: ServerName, search: Callable[[MeshView, int], Awaitable[ScoredBooks]]
) -> CandidateSource:
    def pages(view: MeshView, rules: ListRules, _: set[str]) -> Pages:
        return _read_from_start(lambda n: search(view, n), first_page_size(rules.k, len(rules.exclude)))

    return CandidateSource(mode, pages, server)


async def _read_limited(
    fetch: Callable[[int, int | None], Awaitable[ScoredBooks]], rules: ListRules
) -> Pages:
    """Pages of a list whose server spreads authors itself: the first is nearly always enough.

    What follows is the whole ranking, of which the first page has taken some.
    """
    if rules.author_limit is not None and not rules.diversity:
        n = min(MAX_BOOKS, rules.k + SPARE)
        books = as_scored(await fetch(n, rules.author_limit))
        yield books
        if len(books) < n or n == MAX_BOOKS:
            return
    async for page in _read_from_start(lambda n: fetch(n, None), first_page_size(rules.k)):
        yield page


async def _read_from_start(fetch: Callable[[int], Awaitable[ScoredBooks]], first: int) -> Pages:
    """Pages of a list that is only served from its beginning: each fetch goes deeper than the last."""
    n, n_read = first, 0
    while True:
        books = as_scored(await fetch(n))
        yield books[n_read:]
        if len(books) < n or n == MAX_BOOKS:
            return
        n_read, n = n, min(MAX_BOOKS, n * PAGE_GROWTH)
