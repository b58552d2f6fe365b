"""Makes up readers who follow subjects they love, authors they are loyal to, and what everybody reads.

Where books are to tastes that no author or subject tells (Shelf.tastes), readers follow those instead of
subjects, and rate low what is not to theirs: what others with the same books read tells most.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from catalog.demo.shelf import Shelf, Tastes
from foundation.arrays import F64, I64, pack_pairs, rank_in_group

N_FAVOURITES = 3
FAVOURITE_WEIGHTS = (0.65, 0.25, 0.1)
AUTHOR_SHARE, SUBJECT_SHARE = 0.45, 0.45
"""Of a reader's books: those by a favourite author, those of a favourite subject; the rest are popular."""
AUTHOR_SHARE_BESIDE_TASTE, TASTE_SHARE = 0.15, 0.65
IMPLICIT_SHARE = 0.25
LOGNORMAL_SIGMA = 0.9
"""Spread of the number of ratings a reader: most give few, some very many."""
MEAN_RATING, TASTE_BONUS = 6.4, 1.6
MISFIT_BONUS = -2.4
"""Of what is to none of a reader's tastes, where there are such."""
BOOK_SD, USER_SD, NOISE_SD = 0.7, 0.8, 0.9
_CHUNK_USERS = 10_000
_OVERSAMPLE = 3
"""Draws for each rating wanted: a book drawn twice counts once."""


@dataclass(frozen=True)
class Readings:
    """Some readers' ratings, ascending by reader."""

    user_idx: I64
    book_idx: I64
    rating: I64
    """1 to 10, or 0 for an implicit one."""


def generate_readings(
    shelf: Shelf, *, n_users: int, n_ratings: int, rng: np.random.Generator
) -> Iterator[Readings]:
    """Ratings of readers 0 to n_users - 1, some thousand readers at a time; about n_ratings in all."""
    wanted = count_ratings(n_users, n_ratings, most=max(1, shelf.author.size // 4), rng=rng)
    quality = rng.normal(0, BOOK_SD, shelf.author.size)
    for start in range(0, n_users, _CHUNK_USERS):
        yield _read_some(shelf, wanted[start : start + _CHUNK_USERS], quality, start, rng)


def count_ratings(n_users: int, n_ratings: int, *, most: int, rng: np.random.Generator) -> I64:
    """(n_users,) how many ratings each reader gives: lognormal, at least 1 and at most `most`."""
    activity = rng.lognormal(0, LOGNORMAL_SIGMA, n_users)
    share = activity / activity.sum() * n_ratings
    # Rounding up at random keeps the sum where readers give one or two each.
    counts: I64 = np.clip(np.floor(share + rng.random(n_users)), 1, most).astype(np.int64)
    return counts


def _read_some(shelf: Shelf, wanted: I64, quality: F64, start: int, rng: np.random.Generator) -> Readings:
    if shelf.tastes is None:
        groups, shares = shelf.by_subject, (AUTHOR_SHARE, SUBJECT_SHARE)
        favourites, authors = _draw_subjects(shelf, wanted.size, rng)
    else:
        groups, shares = shelf.tastes.books, (AUTHOR_SHARE_BESIDE_TASTE, TASTE_SHARE)
        favourites, authors = _draw_tastes(shelf, shelf.tastes, wanted.size, rng)
    user_idx = np.repeat(np.arange(wanted.size), np.ceil(wanted * _OVERSAMPLE).astype(np.int64) + 2)
    which = rng.choice(N_FAVOURITES, size=user_idx.size, p=FAVOURITE_WEIGHTS)
    chance = rng.random(user_idx.size)
    by_author, by_favourite = chance < shares[0], (chance >= shares[0]) & (chance < sum(shares))
    popular = ~(by_author | by_favourite)
    book_idx = np.empty_like(user_idx)
    book_idx[by_author] = shelf.by_author.draw(authors[user_idx, which][by_author], rng)
    book_idx[by_favourite] = groups.draw(favourites[user_idx, which][by_favourite], rng)
    book_idx[popular] = shelf.everything.draw(np.zeros(int(popular.sum()), dtype=np.int64), rng)
    kept = _first_of_each(user_idx, book_idx, wanted)
    user_idx, book_idx = user_idx[kept], book_idx[kept]
    if shelf.tastes is None:
        bonus = TASTE_BONUS * ~popular[kept]
    else:
        fits = (favourites[user_idx] == shelf.tastes.of_book[book_idx][:, None]).any(axis=1)
        bonus = np.where(fits, TASTE_BONUS, MISFIT_BONUS)
    bias = rng.normal(0, USER_SD, wanted.size)[user_idx]
    score = MEAN_RATING + bias + quality[book_idx] + bonus + rng.normal(0, NOISE_SD, kept.size)
    rating = np.clip(np.rint(score), 1, 10).astype(np.int64)
    rating[rng.random(kept.size) < IMPLICIT_SHARE] = 0
    return Readings(start + user_idx, book_idx, rating)


def _draw_subjects(shelf: Shelf, n_users: int, rng: np.random.Generator) -> tuple[I64, I64]:
    """(n_users, N_FAVOURITES) favourite subjects and authors, the dearest first.

    The second subject goes with the first, as it does in books; the third is anything.
    """
    anything = np.zeros(n_users, dtype=np.int64)
    first = shelf.draw_subject(shelf.everything.draw(anything, rng), rng)
    second = shelf.draw_subject(shelf.by_subject.draw(first, rng), rng)
    third = shelf.draw_subject(shelf.everything.draw(anything, rng), rng)
    subjects = np.stack([first, second, third], axis=1)
    authors = np.stack([shelf.author[shelf.by_subject.draw(column, rng)] for column in subjects.T], axis=1)
    return subjects, authors


def _draw_tastes(shelf: Shelf, tastes: Tastes, n_users: int, rng: np.random.Generator) -> tuple[I64, I64]:
    """(n_users, N_FAVOURITES) favourite tastes and authors, the dearest first; an author writes to any."""
    anything = np.zeros(n_users * N_FAVOURITES, dtype=np.int64)
    of_user = tastes.of_book[shelf.everything.draw(anything, rng)]
    authors = shelf.author[tastes.books.draw(of_user, rng)]
    return of_user.reshape(n_users, -1), authors.reshape(n_users, -1)


def _first_of_each(user_idx: I64, book_idx: I64, wanted: I64) -> I64:
    """Rows of the first `wanted` different books of each reader, in the order drawn."""
    _, first = np.unique(pack_pairs(user_idx, book_idx), return_index=True)
    rows = np.sort(first)
    return np.asarray(rows[rank_in_group(user_idx[rows]) < wanted[user_idx[rows]]])
