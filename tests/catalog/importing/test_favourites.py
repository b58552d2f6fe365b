import numpy as np
import scipy.sparse as sp

from catalog.importing.favourites import MAX_FAVOURITES, find_favourites
from catalog.importing.rating_columns import RatingColumns
from catalog.importing.subjects import MAX_SUBJECTS_A_BOOK, rank_subjects

NAN = float("nan")


def favourites(rows: list[tuple[int, int, float]], book_subjects: list[list[float]]) -> dict[int, list[int]]:
    user_id, book_id, rating = (np.array(column) for column in zip(*rows, strict=True))
    ratings = RatingColumns(user_id, book_id, rating.astype(float), np.full(user_id.size, -1))
    found: dict[int, list[int]] = {}
    for users, subjects, _ in find_favourites(
        ratings, sp.csr_array(np.array(book_subjects, dtype=np.float32))
    ):
        for user, subject in zip(users.tolist(), subjects.tolist(), strict=True):
            found.setdefault(user, []).append(subject)
    return found


def test_favourites_are_the_subjects_of_most_liked_books() -> None:
    book_subjects = [[0, 1, 0], [0, 0, 1], [0, 0, 1]]

    assert favourites([(7, 0, 10.0), (7, 1, 8.0), (7, 2, NAN)], book_subjects) == {7: [2, 1]}


def test_books_that_a_reader_did_not_like_do_not_count() -> None:
    assert favourites([(7, 0, 6.0), (8, 1, 7.0)], [[0, 1], [1, 0]]) == {8: [0]}


def test_a_reader_has_five_favourites_at_most_and_ties_go_to_the_smaller_id() -> None:
    assert favourites([(1, 0, 9.0)], [[1.0] * 9]) == {1: list(range(MAX_FAVOURITES))}


def test_a_books_subjects_are_ranked_by_mentions_then_by_place_generic_ones_last() -> None:
    books = np.array([1, 1, 1, 1, 1, 2])
    subjects = np.array([9, 5, 4, 5, -1, 9])

    ranked = [column.tolist() for column in rank_subjects(books, subjects, generic=np.array([9]))]

    assert ranked == [[1, 1, 1, 2], [5, 4, 9, 9], [0, 1, 2, 0]]


def test_a_book_has_so_many_subjects_and_no_more() -> None:
    books, subjects, positions = rank_subjects(
        np.ones(50, dtype=int), np.arange(50), generic=np.array([], dtype=int)
    )

    assert positions.tolist() == list(range(MAX_SUBJECTS_A_BOOK))
    assert subjects.tolist() == list(range(MAX_SUBJECTS_A_BOOK))
    assert set(books.tolist()) == {1}
