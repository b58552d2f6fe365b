"""Small catalogs in real SQLite files, with tastes known by construction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import insert

from catalog.cleaning import author_key
from catalog.database import Database
from catalog.tables import Author, Book, BookAuthor, BookSubject, Rating, Subject, User
from tests.empty_catalogs import open_empty_catalog

CLUB_SUBJECTS = ["Dragons", "Gardens", "Rockets", "Soups"]
Pair = tuple[int, int, float | None]


@dataclass(frozen=True)
class Work:
    """What a test says of a book; its id is its place, from 1."""

    title: str
    author: str | None
    subjects: tuple[str, ...]


def write_catalog(path: Path, works: Sequence[Work], pairs: Iterable[Pair]) -> Database:
    """A migrated database with these works and (user_id, book_id, rating) triples."""
    db = open_empty_catalog(path)
    authors = sorted({work.author for work in works if work.author})
    subjects = sorted({name for work in works for name in work.subjects})
    pairs = list(pairs)
    rows: dict[type, list[dict[str, object]]] = {
        Subject: [
            {"subject_id": i, "name": name, "is_generic": name == "Fiction"}
            for i, name in enumerate(subjects, 1)
        ],
        Author: [
            {"author_id": i, "name": name, "name_key": author_key(name)} for i, name in enumerate(authors, 1)
        ],
        Book: [
            {"book_id": i, "source": "test", "external_id": str(i), "title": work.title,
             "main_subject_id": subjects.index(work.subjects[0]) + 1 if work.subjects else None}
            for i, work in enumerate(works, 1)
        ],
        User: [
            {"user_id": user_id, "source": "test", "external_id": str(user_id)}
            for user_id in sorted({pair[0] for pair in pairs})
        ],
        BookAuthor: [
            {"book_id": i, "author_id": authors.index(work.author) + 1, "position": 0}
            for i, work in enumerate(works, 1) if work.author
        ],
        BookSubject: [
            {"book_id": i, "subject_id": subjects.index(name) + 1, "position": place}
            for i, work in enumerate(works, 1) for place, name in enumerate(work.subjects)
        ],
        Rating: [
            {"user_id": user_id, "book_id": book_id, "rating": rating} for user_id, book_id, rating in pairs
        ],
    }  # fmt: skip
    with db.session(write=True) as session:
        for table, values in rows.items():
            if values:
                session.execute(insert(table), values)
    return db


def club_works(n_clubs: int = 4, n_each: int = 20) -> list[Work]:
    """Each club has its books; two by each author, who writes for that club only."""
    return [
        Work(f"Book {club}-{number}", f"Author {club}-{number // 2}", (CLUB_SUBJECTS[club], "Fiction"))
        for club in range(n_clubs)
        for number in range(n_each)
    ]


def club_pairs(
    rng: np.random.Generator, *, n_users: int = 120, n_clubs: int = 4, n_each: int = 20, n_read: int = 10
) -> list[Pair]:
    """Readers 1..n_users, each of one club, whose books alone they read, and like."""
    pairs: list[Pair] = []
    for user_id in range(1, n_users + 1):
        club = user_id % n_clubs
        for number in rng.choice(n_each, n_read, replace=False):
            rating = None if rng.random() < 0.3 else float(rng.integers(6, 11))
            pairs.append((user_id, club * n_each + int(number) + 1, rating))
    return pairs
