import numpy as np

from pipeline.records import Interactions, build_fold

INTERACTIONS = Interactions(
    user_ids=np.array([3, 3, 8, 9]),
    book_ids=np.array([10, 40, 40, 70]),
    ratings=np.array([5, np.nan, 7, 9], dtype=np.float32),
)


def test_a_fold_knows_exactly_the_readers_and_books_that_occur() -> None:
    fold = build_fold(INTERACTIONS)

    assert fold.user_ids.tolist() == [3, 8, 9]
    assert fold.book_ids.tolist() == [10, 40, 70]
    assert fold.user_items.toarray().tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]


def test_a_history_keeps_implicit_ratings_apart_from_explicit_ones() -> None:
    book_ids, ratings = build_fold(INTERACTIONS).history(0)

    assert book_ids.tolist() == [10, 40]
    np.testing.assert_array_equal(ratings, [5, np.nan])
