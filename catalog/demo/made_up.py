"""Made-up works in any number, for benchmarks: titles, authors and subjects that belong to no real book."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from catalog.demo.works import Work
from catalog.word_lists import read_word_lists

_BOOKS_AN_AUTHOR = 4
_BOOKS_A_TASTE, _FEWEST_TASTES = 40, 8


class MadeUpWorks(Sequence[Work]):
    """n_books works, each worked out from its number when asked for, so that any number needs no memory."""

    def __init__(self, n_books: int, vocabulary: Sequence[str], *, seed: int) -> None:
        self._n_books, self._vocabulary = n_books, vocabulary
        n_authors = max(1, n_books // _BOOKS_AN_AUTHOR)
        rng = np.random.default_rng(seed)
        # Authors keep to a genre: a subject and its neighbours in the list.
        self._genre = (rng.zipf(1.6, n_authors) - 1) % len(vocabulary)
        self.authors = rng.integers(n_authors, size=n_books)
        """(n_books,) number of each book's author."""
        self._spread = rng.integers(1, 12, size=(n_books, 3))
        self._year = rng.integers(1900, 2024, size=n_books)
        self.tastes = rng.integers(max(n_books // _BOOKS_A_TASTE, _FEWEST_TASTES), size=n_books)
        """(n_books,) number of the taste that each book is to; no author or subject tells it."""

    def __len__(self) -> int:
        return self._n_books

    def __getitem__(self, index: int) -> Work:  # type: ignore[override]  # nobody slices it
        subjects = tuple(self._vocabulary[number] for number in self.subject_numbers(index))
        return Work(
            external_id=f"made-up-{index}",
            title=_title(index),
            authors=(_name(int(self.authors[index])),),
            year=int(self._year[index]),
            language="eng",
            subjects=subjects,
            description=f"A made-up book about {', '.join(subjects).lower()}.",
        )

    def subject_numbers(self, index: int) -> list[int]:
        """Numbers of a book's subjects, the first one its author's genre."""
        genre = int(self._genre[self.authors[index]])
        near = [(genre + int(step)) % len(self._vocabulary) for step in np.cumsum(self._spread[index])[:-1]]
        return [genre, *near]


def _title(index: int) -> str:
    (adjective, noun, place), volume = _pick(index, _read_words("adjectives", "nouns", "places"))
    title = f"The {adjective} {noun} of {place}"
    return f"{title}, Part {volume + 1}" if volume else title


def _name(index: int) -> str:
    (first, last), rest = _pick(index, _read_words("first_names", "last_names"))
    middle = f" {chr(ord('A') + rest % 26)}." if rest else ""
    return f"{first}{middle} {last}"


@cache
def _read_words(*names: str) -> list[tuple[str, ...]]:
    lists = read_word_lists("catalog.demo", "made_up.txt")
    return [lists[name] for name in names]


def _pick(index: int, lists: list[tuple[str, ...]]) -> tuple[list[str], int]:
    """One word of each list, another choice for every index, and how often all choices were used up."""
    picked = []
    for words in lists:
        index, place = divmod(index, len(words))
        picked.append(words[place])
    return picked, index
