"""Reads MovieLens, whose films take the place of books: the set of 100,000 ratings, and the newer ones."""

import re
from collections.abc import Iterator
from pathlib import Path

from catalog.cleaning import parse_year
from catalog.errors import SourceFileMissing
from catalog.sources.columns import read_columns, read_fields
from catalog.sources.csv_rows import CsvFormat
from catalog.sources.files import find_file
from catalog.sources.records import RawEdition, RawEvent, RawRating, RawUser, RawWork, Source
from catalog.sources.row_log import RowLog
from catalog.sources.scale import FIVE_STARS, HALF_STARS
from catalog.sources.tags import TagCounts

OLD_FILES = OLD_RATINGS, OLD_FILMS, OLD_USERS = "u.data", "u.item", "u.user"
RATINGS, FILMS, TAGS = "ratings.csv", "movies.csv", "tags.csv"
OLD_RATING_FORMAT, OLD_FORMAT = CsvFormat("\t", "latin-1"), CsvFormat("|", "latin-1")
FORMAT = CsvFormat()
GENRES = (
    "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip
"""Of the old set, in the order of their columns in u.item."""
_LONGEST_TIME = 11
"""Digits: what is longer is no time in seconds."""
_NO_GENRE = "(no genres listed)"
_N_FIELDS_BEFORE_GENRES = 6
"""Id, title, release date, date of the video, address, and whether the genre is unknown."""
_YEAR = re.compile(r"\s*\((\d{4})(?:\s*[-–]\s*(?:\d{4})?)?\)(?:\s*\(V\))?\s*$")
"""At the end of a title, for a series of several years; (V) is a video."""
_ARTICLE = re.compile(
    r"\b([^()]+), (The|An?|L'|Las?|Les?|Los?|Il|Gli|I|El|Un|Une|Una|Uno|Der|Die|Das|Eine?|Den|Det|De|Het|Os?"
    r"|As)(?=\s*(?:[()]|$))"
)


def open_movielens(folder: Path) -> Source:
    """The set that a folder holds. Raises SourceFileMissing or SourceFileUnreadable."""
    has = {file: (folder / file).exists() for file in (OLD_RATINGS, RATINGS)}
    if not any(has.values()) and not folder.is_file():
        expected = (
            f"{', '.join(OLD_FILES)} (the set of 100,000 ratings), or {RATINGS} and {FILMS} (the newer sets)"
        )
        raise SourceFileMissing(folder / RATINGS, expected=expected)
    return MovieLens100K(folder) if has[OLD_RATINGS] else MovieLens(folder)


class MovieLens100K:
    """The set of 1998, whose readers have an age, a gender, an occupation and a zip code."""

    name = "movielens-100k"
    scale = FIVE_STARS

    def __init__(self, folder: Path) -> None:
        """Raises SourceFileMissing or SourceFileUnreadable."""
        self._ratings, self._films, self._users = (
            find_file(folder, file, expected=", ".join(OLD_FILES)) for file in OLD_FILES
        )

    def works(self, log: RowLog) -> Iterator[RawWork]:
        """Every film with its genres."""
        n_fields = _N_FIELDS_BEFORE_GENRES + len(GENRES)
        for film, title, released, *rest in read_fields(self._films, OLD_FORMAT, n_fields, log):
            flags = rest[-len(GENRES) :]
            genres = tuple(genre for genre, flag in zip(GENRES, flags, strict=True) if flag == "1")
            name, year = parse_title(title)
            yield RawWork(
                OLD_FILMS, film, name, (), year or parse_year(released), None, None, (), exact_subjects=genres
            )

    def editions(self, log: RowLog) -> Iterator[RawEdition]:
        """None: films have no ISBN."""
        yield from ()

    def users(self, log: RowLog) -> Iterator[RawUser]:
        """Everybody who has rated."""
        for user, age, gender, occupation, postal_code in read_fields(self._users, OLD_FORMAT, 5, log):
            yield RawUser(OLD_USERS, user, age, "", gender, occupation, postal_code)

    def ratings(self, log: RowLog) -> Iterator[RawRating]:
        """Ratings of one to five stars with their times."""
        for user, film, rating, time in read_fields(self._ratings, OLD_RATING_FORMAT, 4, log):
            yield RawRating(OLD_RATINGS, user, film, "", rating, _parse_time(time, log))

    def events(self, log: RowLog) -> Iterator[RawEvent]:
        """None: the set has ratings alone."""
        yield from ()


class MovieLens:
    """One of the newer sets (latest, 20M, 25M, 32M): half stars, and what readers tagged films with."""

    name = "movielens"
    scale = HALF_STARS

    def __init__(self, folder: Path) -> None:
        """Raises SourceFileMissing or SourceFileUnreadable."""
        self._ratings, self._films = (
            find_file(folder, file, expected=f"{RATINGS}, {FILMS} and perhaps {TAGS}")
            for file in (RATINGS, FILMS)
        )
        has_tags = (folder / TAGS).exists()
        self._tags = find_file(folder, TAGS, expected=TAGS) if has_tags else None

    def works(self, log: RowLog) -> Iterator[RawWork]:
        """Every film with its genres and tags."""
        tags = TagCounts(TAGS, log)
        if self._tags:
            for film, tag in read_columns(self._tags, FORMAT, ("movieId", "tag"), log):
                tags.add(film, tag)
        for film, title, listed in read_columns(self._films, FORMAT, ("movieId", "title", "genres"), log):
            name, year = parse_title(title)
            genres = () if listed == _NO_GENRE else tuple(filter(None, listed.split("|")))
            yield RawWork(FILMS, film, name, (), year, None, None, tags.take(film), exact_subjects=genres)
        tags.drop_rest()

    def editions(self, log: RowLog) -> Iterator[RawEdition]:
        """None: films have no ISBN."""
        yield from ()

    def users(self, log: RowLog) -> Iterator[RawUser]:
        """Nobody: readers are known by their ratings alone."""
        yield from ()

    def ratings(self, log: RowLog) -> Iterator[RawRating]:
        """Ratings from half a star to five with their times."""
        columns = ("userId", "movieId", "rating", "timestamp")
        for user, film, rating, time in read_columns(self._ratings, FORMAT, columns, log):
            yield RawRating(RATINGS, user, film, "", rating, _parse_time(time, log))

    def events(self, log: RowLog) -> Iterator[RawEvent]:
        """None: the sets have ratings alone."""
        yield from ()


def parse_title(text: str) -> tuple[str, int | None]:
    """The title as it is spoken, and its year: "Postino, Il (1994)" is "Il Postino" of 1994."""
    found = _YEAR.search(text)
    title = text[: found.start()] if found else text
    return _ARTICLE.sub(_put_first, title), int(found[1]) if found else None


def _put_first(found: re.Match[str]) -> str:
    title, article = found[1], found[2]
    return article + title if article.endswith("'") else f"{article} {title}"


def _parse_time(text: str, log: RowLog) -> int | None:
    """Seconds since 1970 UTC."""
    if text.isdecimal() and len(text) <= _LONGEST_TIME:
        return int(text)
    log.repairs["times that are none left unknown"] += 1
    return None
