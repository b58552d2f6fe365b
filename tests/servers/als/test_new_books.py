"""New books are shown to readers who love their authors, and take one place."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from evidence.authors import Authors
from evidence.kind import History
from foundation.arrays import Chosen
from foundation.author_limit import limit_authors
from servers.als.model import AlsModel
from servers.als.new_books import NewBooks
from tests.servers.tiny import BOOK_IDS, N, als_model

NEW = 11
"""The row of a book by the author of row 10."""


def with_new(model: AlsModel, *rows: int) -> AlsModel:
    return replace(model, new_books=NewBooks(np.array(rows), np.arange(len(rows))))


def by_one_author(model: AlsModel, rows: range) -> AlsModel:
    """The same model, were these books by one author."""
    evidence = model.evidence
    matrix = evidence.authors.book_authors.tolil()
    matrix[rows.start : rows.stop, :] = 0
    matrix[rows.start : rows.stop, rows.start // 2] = 1
    authors = type(evidence.authors)(matrix.tocsr())
    return replace(model, evidence=replace(evidence, authors=authors))


LOVER = BOOK_IDS[[6, 7]].tolist()
MODEL = by_one_author(als_model(1), range(6, N))


def rank(model: AlsModel, ratings: list[float | None], **options: object) -> list[int]:
    ranked, scores = model.rank(LOVER, ratings, k=N, **options)  # type: ignore[arg-type]
    assert (np.diff(scores) <= 0).all()
    return ranked.tolist()


@pytest.mark.parametrize("ratings", [[9.0, 8.0], [None, None], [7.0, None]])
def test_a_new_book_is_where_the_limit_of_an_authors_books_leaves_it(ratings: list[float | None]) -> None:
    ranked = rank(with_new(MODEL, NEW), ratings)

    own = [book_id for book_id in ranked if book_id in BOOK_IDS[6:]]
    former = [book_id for book_id in rank(MODEL, ratings) if book_id in BOOK_IDS[6:NEW]]
    assert own == [former[0], BOOK_IDS[NEW], *former[1:]]
    shown = limit_authors(([book_id in BOOK_IDS[6:] or str(book_id)] for book_id in ranked), 10)
    assert BOOK_IDS[NEW] in np.array(ranked)[shown]


def test_nine_others_at_most_come_before_a_new_book_and_none_that_its_evidence_is_better_than() -> None:
    scores = np.linspace(1, 0, 40, dtype=np.float32)
    history = History(np.array([30, 31]), np.ones(2, dtype=np.float32))
    wrote = np.eye(40, dtype=np.float32)
    wrote[:, 0] = np.isin(np.arange(40), [2, 5, 30, 31, 35])
    authors = Authors(csr_array(wrote))

    def lift(row: int) -> list[int]:
        ranked = NewBooks(np.array([row]), np.zeros(1, dtype=np.int64)).lift(
            np.arange(30), Chosen.all(40), scores.copy(), history, authors
        )
        return ranked.tolist()

    assert lift(35) == [0, 1, 2, 3, 4, 6, 7, 8, 9, 35, 5, *range(10, 29)]
    assert lift(5) == list(range(30))


@pytest.mark.parametrize("ratings", [[9.0, 4.0], [2.0, 3.0]])
def test_a_reader_who_does_not_love_the_author_has_the_list_as_it_was(ratings: list[float | None]) -> None:
    assert rank(with_new(MODEL, NEW), ratings) == rank(MODEL, ratings)


def test_of_several_new_books_the_latest_comes_up_and_no_second() -> None:
    ranked = rank(with_new(MODEL, 9, 10, 11), [9.0, 9.0])

    assert ranked == rank(with_new(MODEL, 11), [9.0, 9.0])


def test_what_is_excluded_or_hidden_stays_away_and_leaves_its_place_to_the_next() -> None:
    model = with_new(MODEL, 10, 11)

    excluded = rank(model, [9.0, 9.0], exclude=[int(BOOK_IDS[11])])
    hidden = rank(replace(model, shown=np.arange(N) != 11), [9.0, 9.0])

    assert BOOK_IDS[11] not in excluded and BOOK_IDS[11] not in hidden
    for ranked in (excluded, hidden):
        assert ranked == rank(with_new(MODEL, 10), [9.0, 9.0], exclude=[int(BOOK_IDS[11])])


def test_a_list_of_nothing_but_new_books_is_ranked_as_ever() -> None:
    model = with_new(MODEL, *range(8, N))

    ranked = rank(model, [9.0, 9.0], exclude=BOOK_IDS[:6].tolist())

    assert sorted(ranked) == BOOK_IDS[8:].tolist()
