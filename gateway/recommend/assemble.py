"""Turns candidates into the list that a reader sees: nothing twice or unwanted, authors spread, k books."""

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
from dataclasses import dataclass
from typing import Final

from contracts.metadata import BookCard
from foundation.author_limit import limit_authors, lower_to_fall
from gateway.errors import CatalogUnavailable, NothingLeft
from gateway.mesh.errors import UpstreamError, UpstreamRefused
from gateway.mesh.view import MeshView
from gateway.recommend.rungs import Page, Rung
from gateway.recommend.threshold import Scored

RUNG_SHARE: Final = 0.6
"""Share of the time left that a rung may take, so that the next one still has some."""
SPARE_CARDS: Final = 5
"""Cards fetched beyond k, in case the author limit holds books back."""

Describe = Callable[[Collection[int]], Awaitable[Mapping[int, BookCard]]]


@dataclass(frozen=True)
class Assembled:
    """Books with their cards, best first; scores never increase."""

    mode: str
    version: str | None
    books: tuple[tuple[BookCard, float], ...]


@dataclass(frozen=True)
class Rules:
    """What a list must keep to."""

    k: int
    exclude: frozenset[int]
    most_per_author: int | None
    """In any ten consecutive books; None for a look-up, which shows what was looked for."""
    is_padded: bool
    """Whether the next rung fills up what one leaves short; else it only stands in for a lost one."""


async def walk(
    rungs: Sequence[Rung], view: MeshView, losses: set[str], *, is_padded: bool
) -> AsyncGenerator[tuple[Rung, Page], None]:
    """The pages of each rung in turn; where one fails, who failed is added to `losses` and the next goes on.

    Raises NothingLeft if something was lost and no rung gave any page.
    """
    has_answer = False
    for rung in rungs:
        try:
            async with aclosing(rung.pages(view.with_share(RUNG_SHARE), losses)) as pages:
                async for page in pages:
                    has_answer = True
                    yield rung, page
        except UpstreamError as error:
            losses.add(error.server)
        except CatalogUnavailable:
            losses.add("catalog")
        except UpstreamRefused:
            continue  # this version has no answer of this kind, the next rung's may do
        else:
            if has_answer and not is_padded:
                return
    if losses and not has_answer:
        raise NothingLeft(sorted(losses))


async def assemble(
    steps: AsyncIterator[tuple[Rung, Page]], rules: Rules, view: MeshView, describe: Describe
) -> Assembled:
    """The first k books that keep to the rules, reading no deeper than they take.

    Where only books of too frequent authors are left, those; fewer than k only if the candidates end.
    """
    seen = set(rules.exclude)
    kept: list[tuple[BookCard, float]] = []
    version, chosen = view.version, list[int]()
    mode, mode_of_nothing = None, None
    async for rung, page in steps:
        mode_of_nothing = mode_of_nothing or rung.mode
        if rung.snapshot and not kept:
            version = rung.snapshot.version
        elif rung.snapshot and rung.snapshot.version not in (None, view.version):
            break  # a list must not mix two versions; SQL's counts are of none
        for chunk in _chunks([book for book in page if book.book_id not in seen], rules.k + SPARE_CARDS):
            fresh = _unseen(chunk, seen)
            ids = [book.book_id for book in fresh]
            cards = rung.snapshot.cards if rung.snapshot else await describe(ids)
            kept += [(cards[book.book_id], book.score) for book in fresh if book.book_id in cards]
            mode = mode or (rung.mode if kept else None)
            chosen, is_final = choose(kept, rules)
            if is_final:
                return _build(kept, chosen, mode or rung.mode, version)
    return _build(kept, chosen, mode or mode_of_nothing or "none", version)


def choose(kept: Sequence[tuple[BookCard, float]], rules: Rules) -> tuple[list[int], bool]:
    """Positions of the books to show, and whether further candidates could not change them."""
    if rules.most_per_author is None:
        return list(range(min(rules.k, len(kept)))), len(kept) >= rules.k
    was_read_to_the_end = False

    def authors() -> Iterator[list[str]]:
        nonlocal was_read_to_the_end
        for card, _ in kept:
            yield card.authors
        was_read_to_the_end = True

    chosen = limit_authors(authors(), rules.k, most=rules.most_per_author)
    return chosen, len(chosen) == rules.k and not was_read_to_the_end


def _build(
    kept: Sequence[tuple[BookCard, float]], chosen: Sequence[int], mode: str, version: str | None
) -> Assembled:
    scores = lower_to_fall([kept[position][1] for position in chosen])
    books = tuple((kept[position][0], score) for position, score in zip(chosen, scores, strict=True))
    return Assembled(mode, version, books)


def _unseen(books: Sequence[Scored], seen: set[int]) -> list[Scored]:
    """Books not seen before, each once; they count as seen from now on."""
    fresh = []
    for book in books:
        if book.book_id not in seen:
            seen.add(book.book_id)
            fresh.append(book)
    return fresh


def _chunks(books: Sequence[Scored], size: int) -> Iterator[Sequence[Scored]]:
    for start in range(0, len(books), size):
        yield books[start : start + size]
