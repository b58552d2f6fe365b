"""What each route asks for, as a ladder of rungs and the rules that the list must keep to."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from catalog.users import Reader
from contracts.similarity import SimilarMode
from gateway.catalog import Catalog
from gateway.errors import BookNotFound
from gateway.recommend.assemble import Rules
from gateway.recommend.rungs import (
    History,
    Rung,
    by_history,
    by_keyword,
    by_meaning,
    by_popularity,
    by_subjects,
    from_snapshot,
    similar_to,
)
from gateway.recommend.snapshot import Snapshot

RecommendMode = Literal["auto", "collaborative", "subjects", "popular"]

N_SUBJECTS: Final = 5
"""How many subjects stand for a reader."""


@dataclass(frozen=True)
class Question:
    """A list to make; `key` names everything that the list depends on, except the version."""

    key: str
    rungs: tuple[Rung, ...]
    rules: Rules


@dataclass(frozen=True)
class Defaults:
    """What the operator has set for all lists."""

    most_per_author: int
    subjects_popularity_weight: float


@dataclass(frozen=True)
class Questions:
    """Builds the question of each route."""

    catalog: Catalog
    snapshot: Callable[[], Snapshot]
    defaults: Defaults

    def recommend_to(
        self, reader: Reader, *, mode: RecommendMode, k: int, popularity_weight: float | None
    ) -> Question:
        """The ladder for a known reader: their history, their subjects, popularity."""

        async def find_subjects() -> Sequence[str]:
            if reader.favourite_subjects:
                return reader.favourite_subjects[:N_SUBJECTS]
            return await self._subjects_of([book_id for book_id, _ in reader.history])

        exclude = _unwanted(reader)
        rungs: list[Rung] = []
        if mode in ("auto", "collaborative") and reader.history:
            rungs.append(
                by_history(reader.history, exclude=exclude, k=k, popularity_weight=popularity_weight)
            )
        if mode != "popular" and (reader.favourite_subjects or reader.history):
            rungs.append(self._by_subjects(find_subjects, exclude, k, popularity_weight))
        key = f"reader:{_state(reader)}:{mode}:{k}:{popularity_weight}"
        return self._padded(key, rungs, exclude, k)

    def recommend_for(
        self, liked: History, subjects: Sequence[str], *, k: int, popularity_weight: float | None
    ) -> Question:
        """The ladder for anyone: what they like, the subjects they name or those of what they like."""

        async def find_subjects() -> Sequence[str]:
            return subjects or await self._subjects_of([book_id for book_id, _ in liked])

        exclude = frozenset(book_id for book_id, _ in liked)
        rungs: list[Rung] = []
        if liked:
            rungs.append(by_history(liked, exclude=exclude, k=k, popularity_weight=popularity_weight))
        if liked or subjects:
            rungs.append(self._by_subjects(find_subjects, exclude, k, popularity_weight))
        return self._padded(f"anyone:{liked}:{subjects}:{k}:{popularity_weight}", rungs, exclude, k)

    def similar(
        self, book_id: int, reader: Reader | None, *, mode: SimilarMode, weight: float, k: int
    ) -> Question:
        """Books like one; where that cannot be told, popular books of its main subject."""

        async def find_subject() -> str | None:
            # Only a book that the similarity server could say nothing about gets here: it may not exist.
            rows = await self.catalog.titles([book_id])
            if book_id not in rows:
                raise BookNotFound(book_id)
            return rows[book_id].main_subject

        exclude = _unwanted(reader) | {book_id}
        rungs = [
            similar_to(book_id, mode=mode, weight=weight, exclude=exclude, k=k),
            by_popularity(k, len(exclude), find_subject=find_subject),
        ]
        key = f"similar:{book_id}:{mode}:{weight}:{k}:{_state(reader)}"
        return self._padded(key, rungs, exclude, k)

    def popular(self, subject: str | None, reader: Reader | None, *, k: int) -> Question:
        """The most popular books, all of one subject if one is named."""

        async def find_subject() -> str | None:
            return subject

        exclude = _unwanted(reader)
        rungs = (
            by_popularity(k, len(exclude), find_subject=find_subject if subject else None),
            from_snapshot(self.snapshot(), subject),
        )
        rules = Rules(k, exclude, self.defaults.most_per_author, is_padded=False)
        return Question(f"popular:{subject}:{k}:{_state(reader)}", rungs, rules)

    def search(self, text: str, reader: Reader | None, *, k: int) -> Question:
        """Books with these words; those of this meaning while the keyword search is lost."""
        exclude = _unwanted(reader)
        n_excluded = len(exclude)
        rungs = (
            by_keyword(text, k=k, n_excluded=n_excluded),
            by_meaning(text, k=k, n_excluded=n_excluded),
        )
        rules = Rules(k, exclude, None, is_padded=False)
        return Question(f"keyword:{text}:{k}:{_state(reader)}", rungs, rules)

    def search_by_meaning(self, text: str, reader: Reader | None, *, k: int) -> Question:
        """Books of this meaning; those with these words while the semantic server is lost."""
        exclude = _unwanted(reader)
        n_excluded = len(exclude)
        rungs = (
            by_meaning(text, k=k, n_excluded=n_excluded),
            by_keyword(text, k=k, n_excluded=n_excluded),
        )
        rules = Rules(k, exclude, self.defaults.most_per_author, is_padded=False)
        return Question(f"semantic:{text}:{k}:{_state(reader)}", rungs, rules)

    def _by_subjects(
        self,
        find_subjects: Callable[[], Awaitable[Sequence[str]]],
        exclude: frozenset[int],
        k: int,
        popularity_weight: float | None,
    ) -> Rung:
        if popularity_weight is None:
            popularity_weight = self.defaults.subjects_popularity_weight
        return by_subjects(find_subjects, popularity_weight=popularity_weight, k=k, n_excluded=len(exclude))

    async def _subjects_of(self, book_ids: Sequence[int]) -> Sequence[str]:
        return (await self.catalog.subjects_of(book_ids))[:N_SUBJECTS]

    def _padded(self, key: str, rungs: Sequence[Rung], exclude: frozenset[int], k: int) -> Question:
        """A list that popular books fill up."""
        padding = (by_popularity(k, len(exclude)), from_snapshot(self.snapshot()))
        rules = Rules(k, exclude, self.defaults.most_per_author, is_padded=True)
        return Question(key, (*rungs, *padding), rules)


def _unwanted(reader: Reader | None) -> frozenset[int]:
    """What a reader must never be shown."""
    if reader is None:
        return frozenset()
    return reader.dismissed.union(reader.replaced, (book_id for book_id, _ in reader.history))


def _state(reader: Reader | None) -> str:
    return f"{reader.user_id}@{reader.revision}" if reader else ""
