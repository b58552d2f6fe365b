"""What every list must keep to, however its candidates come."""

from collections.abc import AsyncGenerator, Collection, Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.metadata import BookCard, BookFilters
from gateway.deadline import Deadline
from gateway.errors import NothingLeft
from gateway.mesh.errors import UpstreamRefused, UpstreamUnreachable
from gateway.mesh.pinning import NO_VERSION
from gateway.mesh.view import MeshView
from gateway.recommend.assemble import assemble, read_with_fallbacks
from gateway.recommend.candidates import CandidateSource, ListRules, Page, from_snapshot
from gateway.recommend.rendered import MadeList
from gateway.recommend.snapshot import Snapshot
from gateway.recommend.threshold import Scored

VIEW = MeshView({}, "v1", Deadline.after(1000), is_pinned=lambda _: True)
DOWN = UpstreamUnreachable("als", "down")


def _card(book_id: int, n_authors: int = 1_000_000) -> BookCard:
    return BookCard(
        book_id=book_id,
        title=f"Book {book_id}",
        authors=[f"Author {book_id % n_authors}"],
        year=None,
        language=None,
        isbns=[],
        main_subject=None,
        subjects=["Space"] if book_id % 2 else ["Soup"],
        description=None,
        n_ratings=0,
        mean_rating=None,
    )


def _source(mode: str, *pages: Page | Exception) -> CandidateSource:
    async def give(_view: MeshView, _rules: ListRules, _degraded: set[str]) -> AsyncGenerator[Page, None]:
        for page in pages:
            if isinstance(page, Exception):
                raise page
            yield page

    return CandidateSource(mode, give)


def _books(ids: Iterable[int], best: float = 1.0) -> list[Scored]:
    return [Scored(book_id, best - place / 1000) for place, book_id in enumerate(ids)]


def _snapshot(version: str | None, ids: Iterable[int]) -> Snapshot:
    books = tuple(_books(ids))
    return Snapshot(version, books, {book.book_id: _card(book.book_id) for book in books})


async def _list(
    *sources: CandidateSource,
    k: int = 5,
    exclude: Collection[int] = (),
    most: int | None = 2,
    is_padded: bool = True,
    n_authors: int = 1_000_000,
    diversity: float = 0.0,
) -> tuple[MadeList, set[str]]:
    degraded: set[str] = set()

    async def describe(ids: Collection[int]) -> Mapping[int, BookCard]:
        return {book_id: _card(book_id, n_authors) for book_id in ids}

    rules = ListRules(k, frozenset(exclude), most, is_padded, diversity)
    found = await assemble(
        read_with_fallbacks(sources, rules, VIEW, describe, degraded),
        rules,
        VIEW,
        degraded,
        lambda version, mode: f"{version} {mode}",
    )
    return found, degraded


def _ids(found: MadeList) -> list[int]:
    return [item.book_id for item in found.items]


@given(
    pages=st.lists(st.lists(st.integers(0, 40), max_size=15), max_size=4),
    more=st.lists(st.integers(0, 40), max_size=40),
    exclude=st.sets(st.integers(0, 40), max_size=20),
    k=st.integers(1, 25),
    n_authors=st.integers(1, 8),
    diversity=st.sampled_from([0.0, 0.3, 0.9]),
)
async def test_every_list_keeps_to_the_rules(
    pages: list[list[int]], more: list[int], exclude: set[int], k: int, n_authors: int, diversity: float
) -> None:
    sources = [_source("collaborative", *map(_books, pages)), _source("popular", _books(more, best=0.5))]

    found, _ = await _list(*sources, k=k, exclude=exclude, n_authors=n_authors, diversity=diversity)

    ids, scores = _ids(found), [item.score for item in found.items]
    there = {book_id for page in [*pages, more] for book_id in page} - exclude
    assert len(ids) == min(k, len(there))
    assert len(set(ids)) == len(ids)
    assert not exclude & set(ids)
    assert scores == sorted(scores, reverse=True)
    if len(there) > 3 * k and n_authors > k:
        windows = [ids[start : start + 10] for start in range(len(ids))]
        assert all(max(_count(book_id % n_authors for book_id in window)) <= 2 for window in windows)


async def test_an_author_of_many_books_gets_two_places_in_ten() -> None:
    by_one = _books(range(0, 300, 10))
    by_others = _books([book_id for book_id in range(1, 100) if book_id % 10], best=0.5)

    found, _ = await _list(
        _source("collaborative", by_one), _source("popular", by_others), k=20, n_authors=10
    )

    authors = [item.authors[0] for item in found.items]
    assert authors[:2] == ["Author 0", "Author 0"]
    assert all(authors[start : start + 10].count("Author 0") <= 2 for start in range(11))


async def test_where_only_one_author_is_left_the_list_is_full_all_the_same() -> None:
    found, _ = await _list(_source("popular", _books(range(20))), k=10, n_authors=1)

    assert _ids(found) == list(range(10))


async def test_a_look_up_shows_all_books_of_one_author() -> None:
    found, _ = await _list(
        _source("keyword", _books(range(20))), k=6, most=None, n_authors=1, is_padded=False
    )

    assert _ids(found) == list(range(6))


async def test_what_one_source_leaves_short_the_next_fills_up() -> None:
    found, degraded = await _list(
        _source("collaborative", _books([1, 2])), _source("popular", _books([2, 3, 4, 5, 6])), k=5
    )

    assert found.mode == "collaborative"
    assert _ids(found) == [1, 2, 3, 4, 5]
    assert not degraded


async def test_a_failed_source_is_named_and_its_fallback_serves() -> None:
    found, degraded = await _list(_source("collaborative", DOWN), _source("popular", _books(range(9))))

    assert (found.mode, degraded) == ("popular", {"als"})
    assert len(found.items) == 5


async def test_a_source_that_fails_half_way_keeps_what_it_gave() -> None:
    found, degraded = await _list(
        _source("collaborative", _books([7, 8]), DOWN), _source("popular", _books(range(9))), k=4
    )

    assert (found.mode, degraded) == ("collaborative", {"als"})
    assert _ids(found) == [7, 8, 0, 1]


async def test_a_version_without_an_answer_degrades_nothing() -> None:
    refused = UpstreamRefused("similarity", "no_vector", "none")  # type: ignore[arg-type]

    found, degraded = await _list(_source("als", refused), _source("popular", _books(range(9))))

    assert (found.mode, degraded) == ("popular", set())


async def test_a_search_that_finds_nothing_is_not_filled_up() -> None:
    found, degraded = await _list(
        _source("keyword", []), _source("semantic", _books(range(9))), is_padded=False
    )

    assert (_ids(found), degraded) == ([], set())


async def test_with_every_source_failing_there_is_no_list() -> None:
    with pytest.raises(NothingLeft) as caught:
        await _list(_source("keyword", DOWN), _source("semantic", UpstreamUnreachable("semantic", "down")))

    assert caught.value.unavailable == ["als", "semantic"]


async def test_no_deeper_page_is_read_than_the_list_takes() -> None:
    found, _ = await _list(_source("popular", _books(range(9)), AssertionError("was read")), k=9)

    assert len(found.items) == 9


async def test_a_snapshot_of_another_version_never_fills_up_a_list() -> None:
    found, _ = await _list(
        _source("collaborative", _books([1, 2])), from_snapshot(_snapshot("v0", range(9))), k=5
    )

    assert (_ids(found), found.version) == ([1, 2], "v1")


@pytest.mark.parametrize("version", ["v0", "v1", None])
async def test_a_list_of_the_snapshot_alone_names_its_version(version: str | None) -> None:
    found, degraded = await _list(_source("popular", DOWN), from_snapshot(_snapshot(version, range(9))), k=5)

    assert (found.version, found.mode, degraded) == (version or NO_VERSION, "popular", {"als"})
    assert len(found.items) == 5


async def test_the_snapshot_knows_the_books_of_a_subject() -> None:
    found, _ = await _list(from_snapshot(_snapshot("v1", range(9)), BookFilters(subject="space")), k=3)

    assert _ids(found) == [1, 3, 5]


def _count(values: Iterable[Any]) -> list[int]:
    counted = list(values)
    return [counted.count(value) for value in counted]


async def test_with_diversity_a_list_has_books_of_more_subjects() -> None:
    alike, unlike = range(1, 21, 2), range(2, 12, 2)  # odd ones are of space, even ones of soup
    source = _source("collaborative", _books([*alike, *unlike]))

    ranked, _ = await _list(source, k=4)
    diverse, _ = await _list(source, k=4, diversity=0.6)

    assert {book_id % 2 for book_id in _ids(ranked)} == {1}
    assert {book_id % 2 for book_id in _ids(diverse)} == {0, 1}


async def test_a_diverse_list_is_the_same_however_its_candidates_are_paged() -> None:
    ids = [*range(1, 61, 2), *range(2, 62, 2)]
    whole = _source("collaborative", _books(ids))
    paged = _source("collaborative", *([book] for book in _books(ids)))

    assert _ids((await _list(whole, diversity=0.5))[0]) == _ids((await _list(paged, diversity=0.5))[0])
