"""The demo catalog as a source: real works as facts, and made-up readers."""

from collections.abc import Iterator, Sequence

import numpy as np

from catalog.demo.made_up import MadeUpWorks
from catalog.demo.shelf import Shelf, build_shelf
from catalog.demo.users import generate_readings
from catalog.demo.works import Work, made_up_isbn, number_isbns, read_works
from catalog.sources.records import RawEdition, RawEvent, RawRating, RawUser, RawWork
from catalog.sources.row_log import RowLog
from catalog.sources.scale import TEN_POINTS

WORKS, EDITIONS, USERS, RATINGS = "works", "editions", "readers", "ratings"
_COUNTRIES = ("usa", "canada", "united kingdom", "germany", "france", "spain", "italy", "australia", "india",
              "japan")  # fmt: skip
_FIRST_RATED_AT_S = 1_577_836_800
_YEARS_S = 5 * 365 * 86_400
_PROGRESS_EVERY = 20_000


class Demo:
    """Readers of the project's own works, or of `books` made-up ones; one seed gives one catalog."""

    name = "demo"
    scale = TEN_POINTS

    def __init__(
        self, *, books: int | None = None, users: int = 2_000, ratings: int = 40_000, seed: int = 1
    ) -> None:
        self._n_users, self._n_ratings, self._seed = users, ratings, seed
        real = read_works()
        vocabulary = sorted({subject for work in real for subject in work.subjects})
        self._works: Sequence[Work]
        if books is None:
            self._works, self._shelf = real, _shelve(real, vocabulary, self._rng("shelf"))
            self._isbns: Sequence[str] = number_isbns([work.external_id for work in real])
        else:
            self._works = made_up = MadeUpWorks(books, vocabulary, seed=seed)
            subjects = [made_up.subject_numbers(index) for index in range(books)]
            self._shelf = build_shelf(subjects, made_up.authors, self._rng("shelf"), tastes=made_up.tastes)
            self._isbns = [made_up_isbn(index) for index in range(books)]

    def works(self, log: RowLog) -> Iterator[RawWork]:
        """Every work."""
        for index in range(len(self._works)):
            work = self._works[index]
            self._count(log, WORKS, index, len(self._works))
            yield RawWork(
                WORKS, work.external_id, work.title, work.authors, work.year, work.language, work.description,
                work.subjects,
            )  # fmt: skip

    def editions(self, log: RowLog) -> Iterator[RawEdition]:
        """One edition of each work."""
        for index, isbn in enumerate(self._isbns):
            work = self._works[index]
            self._count(log, EDITIONS, index, len(self._isbns))
            yield RawEdition(
                EDITIONS, (isbn,), work.external_id, work.title, work.authors, str(max(work.year, 1900))
            )

    def users(self, log: RowLog) -> Iterator[RawUser]:
        """Every reader."""
        rng = self._rng("readers")
        ages = np.clip(rng.normal(38, 15, self._n_users), 8, 95).astype(int).tolist()
        countries = rng.integers(len(_COUNTRIES), size=self._n_users).tolist()
        for index, (age, country) in enumerate(zip(ages, countries, strict=True)):
            self._count(log, USERS, index, self._n_users)
            yield RawUser(USERS, str(index + 1), str(age), f"somewhere, {_COUNTRIES[country]}")

    def ratings(self, log: RowLog) -> Iterator[RawRating]:
        """Every rating, reader by reader."""
        rng = self._rng("ratings")
        number = 0
        for part in generate_readings(self._shelf, n_users=self._n_users, n_ratings=self._n_ratings, rng=rng):
            rated_at = (_FIRST_RATED_AT_S + rng.integers(_YEARS_S, size=part.user_idx.size)).tolist()
            columns = part.user_idx.tolist(), part.book_idx.tolist(), part.rating.tolist(), rated_at
            for user, book, rating, time in zip(*columns, strict=True):
                self._count(log, RATINGS, number, self._n_ratings)
                number += 1
                yield RawRating(RATINGS, str(user + 1), None, self._isbns[book], str(rating), time)

    def events(self, log: RowLog) -> Iterator[RawEvent]:
        """None: made-up readers only rate."""
        yield from ()

    def _rng(self, purpose: str) -> np.random.Generator:
        # Each stream its own numbers, so that more readers leave the books as they are.
        return np.random.default_rng([self._seed, *purpose.encode()])

    def _count(self, log: RowLog, file: str, index: int, total: int) -> None:
        log.read(file)
        if index % _PROGRESS_EVERY == 0 or index == total - 1:
            log.progress(file, index + 1, total)


def _shelve(works: Sequence[Work], vocabulary: Sequence[str], rng: np.random.Generator) -> Shelf:
    number_of_subject = {subject: number for number, subject in enumerate(vocabulary)}
    number_of_author: dict[str, int] = {}
    subjects = [[number_of_subject[subject] for subject in work.subjects] for work in works]
    # An anonymous work is its own author.
    authors = [
        number_of_author.setdefault(work.authors[0] if work.authors else work.title, len(number_of_author))
        for work in works
    ]
    return build_shelf(subjects, np.array(authors, dtype=np.int64), rng)
