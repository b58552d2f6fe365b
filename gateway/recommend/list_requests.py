"""What each route requests: sources of candidates, each the fallback of the one before, and rules."""

import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

from catalog.isbn import find_isbn
from catalog.users import UserProfile
from contracts.metadata import ALL_BOOKS, BookFilters
from contracts.similarity import SimilarMode
from foundation.serving_rules import ServingRules
from gateway.catalog import Catalog
from gateway.deadline import Deadline
from gateway.errors import BookNotFound
from gateway.recommend.candidates import (
    CandidateSource,
    Favourites,
    History,
    ListRules,
    WeightedBooks,
    by_favourites,
    by_history,
    by_isbn,
    by_keyword,
    by_meaning,
    by_popularity,
    by_subjects,
    from_snapshot,
    search_snapshot,
    similar_to,
)
from gateway.recommend.list_ids import Surface
from gateway.recommend.snapshot import Snapshot

RecommendMode = Literal["auto", "collaborative", "subjects", "popular"]

ANY_LIKENESS: Final[tuple[SimilarMode, ...]] = ("blend", "hybrid")
"""What a list of similar books falls back to, where a book has no likeness of the mode asked for."""
N_SUBJECTS: Final = 5
"""How many subjects stand for a reader's taste."""
ISBN_LABEL: Final = re.compile(r"\s*ISBN(?:-1[03])?:?", re.IGNORECASE)


class ListPlan(NamedTuple):
    """How to make a list: from the first source that can give it, by the rules."""

    sources: tuple[CandidateSource, ...]
    """Each is the fallback of the one before."""
    rules: ListRules


@dataclass(frozen=True)
class ListRequest:
    """A list of books to make, or to find in the cache."""

    surface: Surface
    key: str
    """Names what the list depends on, except version, catalog and what the operator has set."""
    plan: Callable[[], ListPlan]
    degraded: frozenset[str] = frozenset()
    """What was lost before the list is made, and changes it."""


@dataclass(frozen=True)
class ListRequestBuilder:
    """Builds the list request of each route."""

    catalog: Catalog
    snapshot: Callable[[], Snapshot]
    rules: ServingRules

    def for_user(
        self,
        user: UserProfile,
        *,
        mode: RecommendMode,
        k: int,
        popularity_weight: float | None,
        exclude_rated: bool = True,
    ) -> ListRequest:
        """For a known reader: by their history, their subjects, popularity; what they have read, if asked."""
        key = f"user:{_revision_key(user)}:{mode}:{k}:{popularity_weight}:{exclude_rated}"
        return ListRequest(
            "recommendations",
            key,
            lambda: self._plan_for_user(user, mode, k, popularity_weight, exclude_rated=exclude_rated),
            _blamed(user),
        )

    def for_anyone(
        self,
        liked: History,
        told: Favourites,
        *,
        k: int,
        popularity_weight: float | None,
        degraded: frozenset[str] = frozenset(),
    ) -> ListRequest:
        """For anyone: by what they like, what they tell of themselves, subjects of either, popularity.

        `degraded` names what kept something from being understood of what they tell.
        """
        key = f"anyone:{liked}:{told}:{k}:{popularity_weight}"
        return ListRequest(
            "recommendations",
            key,
            lambda: self._plan_for_anyone(liked, told, k, popularity_weight),
            degraded,
        )

    def similar(
        self, book_id: int, user: UserProfile | None, *, mode: SimilarMode, weight: float, k: int
    ) -> ListRequest:
        """Books like one; if none are in that way, in any; else popular books of its main subject."""

        async def find_subject(deadline: Deadline) -> str | None:
            # Only a book that the similarity server has no answer for gets here: it may not exist.
            rows = await self.catalog.read_titles([book_id], deadline)
            if book_id not in rows:
                raise BookNotFound(book_id)
            return rows[book_id].main_subject

        # A version of a release before 0.7.0 knows no blend.
        modes = dict.fromkeys((mode, *ANY_LIKENESS))
        alike = [similar_to(book_id, mode=each, weight=weight) for each in modes]
        sources = (*alike, by_popularity(find_subject))
        key = f"similar:{book_id}:{mode}:{weight}:{k}:{_revision_key(user)}"
        return ListRequest(
            "similar",
            key,
            lambda: self._padded(sources, _excluded(user) | self._with_former_ids([book_id]), k),
            _blamed(user),
        )

    def popular(self, subject: str | None, user: UserProfile | None, *, k: int) -> ListRequest:
        """The most popular books, all of one subject if one is named."""

        async def find_subject(_: Deadline) -> str | None:
            return subject

        def plan() -> ListPlan:
            popular = by_popularity(find_subject if subject else None)
            sources = (popular, from_snapshot(self.snapshot(), BookFilters(subject=subject)))
            return ListPlan(sources, self._rules(k, _excluded(user)))

        key = f"popular:{subject}:{k}:{_revision_key(user)}"
        return ListRequest("popular", key, plan, _blamed(user))

    def search(
        self, text: str, user: UserProfile | None, *, k: int, filters: BookFilters = ALL_BOOKS
    ) -> ListRequest:
        """The book with this ISBN, or those with these words; of this meaning without the keyword search.

        With filters, those with these words that pass them: meaning does not tell.
        """
        key = f"keyword:{text}:{k}:{_revision_key(user)}:{filters.model_dump_json(exclude_none=True)}"

        def plan() -> ListPlan:
            rules = replace(self._rules(k, _excluded(user)), author_limit=None, diversity=0.0)
            spare = search_snapshot(self.snapshot(), text, filters)
            if filters != ALL_BOOKS:
                return ListPlan((by_keyword(text, filters), spare), rules)
            sources = (by_keyword(text), by_meaning(text), spare)
            if isbn := find_isbn(ISBN_LABEL.sub("", text, count=1)):
                by_edition = by_isbn(lambda deadline: self._find_edition(isbn, deadline))
                return ListPlan((by_edition, *sources), rules)
            return ListPlan(sources, rules)

        return ListRequest("search", key, plan, _blamed(user))

    def search_by_meaning(self, text: str, user: UserProfile | None, *, k: int) -> ListRequest:
        """Books of this meaning; those with these words while the semantic server is unavailable."""
        key = f"semantic:{text}:{k}:{_revision_key(user)}"

        def plan() -> ListPlan:
            sources = (by_meaning(text), by_keyword(text), search_snapshot(self.snapshot(), text))
            return ListPlan(sources, self._rules(k, _excluded(user)))

        return ListRequest("search", key, plan, _blamed(user))

    def _plan_for_user(
        self,
        user: UserProfile,
        mode: RecommendMode,
        k: int,
        popularity_weight: float | None,
        *,
        exclude_rated: bool,
    ) -> ListPlan:
        async def find_subjects(deadline: Deadline) -> Sequence[str]:
            if user.favourite_subjects or not user.history:
                return user.favourite_subjects[:N_SUBJECTS]
            return await self._subjects_of(user.history, deadline)

        async def find_favourites(deadline: Deadline) -> Favourites:
            return Favourites(await find_subjects(deadline), user.favourite_authors, user.traits)

        sources: list[CandidateSource] = []
        events = self._weigh_events(
            user, (*user.events, *((book_id, "like") for book_id in user.by_favourites))
        )
        is_new = not user.history and not self._weigh_events(user, user.events)
        if mode == "subjects" or (mode != "popular" and is_new):
            sources.append(self._by_favourites(find_favourites, popularity_weight))
        if mode in ("auto", "collaborative") and (user.history or events):
            # For a new reader only where a version cannot rank by favourites.
            sources.append(
                self._by_history(user.history, popularity_weight, events, with_history=not exclude_rated)
            )
        if mode != "popular" and (user.favourite_subjects or user.history):
            sources.append(self._by_subjects(find_subjects, popularity_weight))
        exclude = _excluded(user) if exclude_rated else user.dismissed | user.replaced
        return self._padded(sources, exclude, k)

    def _plan_for_anyone(
        self, liked: History, told: Favourites, k: int, popularity_weight: float | None
    ) -> ListPlan:
        async def find_subjects(deadline: Deadline) -> Sequence[str]:
            return told.subjects or await self._subjects_of(liked, deadline)

        async def find_favourites(_: Deadline) -> Favourites:
            return told

        sources: list[CandidateSource] = []
        if liked:
            sources.append(self._by_history(liked, popularity_weight))
        elif told:
            sources.append(self._by_favourites(find_favourites, popularity_weight))
        if liked or told.subjects:
            sources.append(self._by_subjects(find_subjects, popularity_weight))
        exclude = self._with_former_ids([book_id for book_id, _ in liked])
        return self._padded(sources, exclude, k)

    def _rules(self, k: int, exclude: frozenset[int]) -> ListRules:
        return ListRules(
            k,
            exclude,
            self.rules.author_limit,
            is_padded=False,
            diversity=self.rules.diversity,
            withdrawn=self.catalog.withdrawn,
        )

    def _by_history(
        self,
        history: History,
        popularity_weight: float | None,
        events: WeightedBooks = (),
        *,
        with_history: bool = False,
    ) -> CandidateSource:
        return by_history(
            history,
            events,
            popularity_weight=popularity_weight,
            rating_strength=self.rules.rating_strength,
            with_history=with_history,
        )

    def _weigh_events(self, user: UserProfile, events: Sequence[tuple[int, str]]) -> WeightedBooks:
        """What each book counts by the strongest of events; nothing if the reader dismissed or read it."""
        if not events:
            return ()
        unwanted = user.dismissed.union(book_id for book_id, _ in user.history)
        weights: dict[int, float] = {}
        for book_id, kind in events:
            weight = self.rules.events.of(kind)
            if weight > weights.get(book_id, 0.0) and book_id not in unwanted:
                weights[book_id] = weight
        return tuple(sorted(weights.items()))

    def _by_favourites(
        self, find_favourites: Callable[[Deadline], Awaitable[Favourites]], popularity_weight: float | None
    ) -> CandidateSource:
        if popularity_weight is None:
            popularity_weight = self.rules.subjects_popularity_weight
        return by_favourites(find_favourites, popularity_weight=popularity_weight)

    def _by_subjects(
        self, find_subjects: Callable[[Deadline], Awaitable[Sequence[str]]], popularity_weight: float | None
    ) -> CandidateSource:
        if popularity_weight is None:
            popularity_weight = self.rules.popularity_beside_nearness
        return by_subjects(find_subjects, popularity_weight=popularity_weight)

    async def _find_edition(self, isbn: str, deadline: Deadline) -> int | None:
        with suppress(BookNotFound):
            return await self.catalog.find_by_isbn(isbn, deadline)
        return None

    def _with_former_ids(self, book_ids: Sequence[int]) -> frozenset[int]:
        return self.catalog.former_ids(book_ids).union(book_ids)

    async def _subjects_of(self, history: History, deadline: Deadline) -> Sequence[str]:
        book_ids = [book_id for book_id, _ in history]
        return (await self.catalog.read_subjects_of(book_ids, deadline))[:N_SUBJECTS]

    def _padded(self, sources: Sequence[CandidateSource], exclude: frozenset[int], k: int) -> ListPlan:
        """A list that popular books fill up."""
        padding = (by_popularity(), from_snapshot(self.snapshot()))
        return ListPlan((*sources, *padding), replace(self._rules(k, exclude), is_padded=True))


def _excluded(user: UserProfile | None) -> frozenset[int]:
    """What a reader must never be shown: what they have read or dismissed, under any id."""
    if user is None:
        return frozenset()
    return user.dismissed.union(user.replaced, (book_id for book_id, _ in user.history))


def _blamed(user: UserProfile | None) -> frozenset[str]:
    return frozenset([user.blamed]) if user and user.blamed else frozenset()


def _revision_key(user: UserProfile | None) -> str:
    return f"{user.user_id}@{user.revision}" if user else ""
