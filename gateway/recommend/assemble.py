"""Turns candidates into recommendations: nothing twice or excluded, authors spread, k books with cards."""

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import aclosing
from typing import Final

from contracts.metadata import BookCard
from foundation.author_limit import limit_authors, lower_to_fall
from foundation.diversity import diversify, pool_size, read_traits
from gateway.errors import CatalogUnavailable, NothingLeft
from gateway.mesh.errors import UpstreamBroken, UpstreamError, UpstreamRefused
from gateway.mesh.pinning import NO_VERSION
from gateway.mesh.view import MeshView
from gateway.recommend.candidates import SPARE, CandidateSource, ListRules, Page, Pages
from gateway.recommend.rendered import MadeItem, MadeList
from gateway.recommend.threshold import Scored
from gateway.schemas import name_authors
from telemetry.tracing import span

METADATA: Final = "metadata"

Describe = Callable[[Collection[int]], Awaitable[Mapping[int, BookCard]]]
DescribedBooks = Sequence[tuple[BookCard, float]]
"""Cards with scores, best first."""


async def read_with_fallbacks(
    sources: Sequence[CandidateSource],
    rules: ListRules,
    view: MeshView,
    describe: Describe,
    degraded: set[str],
) -> AsyncGenerator[tuple[CandidateSource, DescribedBooks], None]:
    """Books of each source in turn, a few at a time, that may be shown and have not come before.

    If a source fails, the next goes on, and `degraded` names what failed.
    Raises NothingLeft if something failed and no source gave any page.
    """
    seen = set(rules.exclude | rules.withdrawn)
    has_answer = False
    for source in sources:
        try:
            async with aclosing(source.pages(view.with_share(), rules, degraded)) as pages:
                while (page := await _retrieve(source, pages)) is not None:
                    for books in _chunks(_unseen(page, seen), max(rules.k + SPARE, n_chosen_from(rules))):
                        described = await _describe(source, books, describe, degraded)
                        has_answer = True
                        yield source, described
        except (UpstreamError, CatalogUnavailable) as error:
            degraded.add(error.blamed)
        except UpstreamRefused:
            continue  # this version has no answer of this kind, the next source's may do
        else:
            if has_answer and not rules.is_padded:
                return
    if degraded and not has_answer:
        raise NothingLeft(sorted(degraded))


async def _retrieve(source: CandidateSource, pages: Pages) -> Page | None:
    with span("retrieve", {"mode": source.mode}):
        return await anext(pages, None)


async def _describe(
    source: CandidateSource, books: Sequence[Scored], describe: Describe, degraded: Collection[str]
) -> DescribedBooks:
    """Those of the books that have cards. Raises UpstreamBroken for a server most of whose have none."""
    if not books:
        return []
    ids = [book.book_id for book in books]
    with span("enrich"):
        cards = source.snapshot.cards if source.snapshot else await describe(ids)
    described = [(cards[book.book_id], book.score) for book in books if book.book_id in cards]
    if 2 * len(described) < len(books) and source.server and METADATA not in degraded:
        unknown = next(book_id for book_id in ids if book_id not in cards)
        raise UpstreamBroken(source.server, f"names books that the version does not have, such as {unknown}")
    return described


async def assemble(
    candidates: AsyncIterator[tuple[CandidateSource, DescribedBooks]],
    rules: ListRules,
    view: MeshView,
    degraded: Collection[str],
    name_list: Callable[[str, str], str],
) -> MadeList:
    """The first k books that keep to the rules, reading no deeper than they take; `degraded` as it is then.

    Where only books of too frequent authors are left, those; fewer than k only if the candidates end.
    `name_list` gives the id of the list from the version that made it, and the mode.
    """
    kept: list[tuple[BookCard, float]] = []
    version, chosen = view.version, list[int]()
    mode, first_mode = None, None
    async for source, books in candidates:
        first_mode = first_mode or source.mode
        if source.snapshot and not kept:
            version = source.snapshot.version
        elif source.snapshot and source.snapshot.version not in (None, view.version):
            break  # a list must not mix two versions; SQL's counts are of none
        kept += books
        mode = mode or (source.mode if kept else None)
        with span("filter"):
            chosen, is_final = choose(kept, rules)
        if is_final:
            break
    return _build(kept, chosen, mode or first_mode or "none", version, degraded, name_list)


def choose(kept: Sequence[tuple[BookCard, float]], rules: ListRules) -> tuple[list[int], bool]:
    """Positions of the books to show, and whether further candidates could not change them."""
    if rules.author_limit is None:
        return list(range(min(rules.k, len(kept)))), len(kept) >= rules.k
    was_read_to_the_end = False
    order = _diversify([card for card, _ in kept], rules)

    def authors() -> Iterator[list[str]]:
        nonlocal was_read_to_the_end
        for position in order:
            yield kept[position][0].authors
        was_read_to_the_end = True

    chosen = [order[place] for place in limit_authors(authors(), rules.k, most=rules.author_limit)]
    is_final = len(chosen) == rules.k and len(kept) >= n_chosen_from(rules)
    return chosen, is_final and not was_read_to_the_end


def n_chosen_from(rules: ListRules) -> int:
    """How many ranked books must be known before any can be chosen for good."""
    return pool_size(rules.k) if rules.diversity else 0


def _diversify(cards: Sequence[BookCard], rules: ListRules) -> Sequence[int]:
    """Positions of all books, the best ones reordered so that neighbours differ."""
    n_pooled = min(n_chosen_from(rules), len(cards))
    if not n_pooled:
        return range(len(cards))
    pool = [read_traits(card.authors, card.subjects) for card in cards[:n_pooled]]
    return [*diversify(pool, strength=rules.diversity), *range(n_pooled, len(cards))]


def _build(
    kept: Sequence[tuple[BookCard, float]],
    chosen: Sequence[int],
    mode: str,
    version: str | None,
    degraded: Collection[str],
    name_list: Callable[[str, str], str],
) -> MadeList:
    version = version or NO_VERSION
    scores = lower_to_fall([kept[position][1] for position in chosen])
    cards = [kept[position][0] for position in chosen]
    items = [
        MadeItem(
            book_id=card.book_id,
            title=card.title,
            authors=name_authors(card.authors),
            year=card.year,
            n_pages=card.n_pages,
            isbns=card.isbns,
            main_subject=card.main_subject,
            score=score,
        )
        for card, score in zip(cards, scores, strict=True)
    ]
    return MadeList(
        list_id=name_list(version, mode), version=version, mode=mode, degraded=sorted(degraded), items=items
    )


def _unseen(books: Sequence[Scored], seen: set[int]) -> list[Scored]:
    """Books not seen before, each once; they count as seen from now on."""
    fresh = []
    for book in books:
        if book.book_id not in seen:
            seen.add(book.book_id)
            fresh.append(book)
    return fresh


def _chunks(books: Sequence[Scored], size: int) -> Iterator[Sequence[Scored]]:
    """So many at a time; of none, one without any."""
    for start in range(0, max(1, len(books)), size):
        yield books[start : start + size]
