import numpy as np

from evidence.kind import read_history

BOOK_IDS = np.array([10, 20, 30, 40])


def test_a_history_is_the_known_books_in_their_order_each_once() -> None:
    history = read_history(BOOK_IDS, [30, 99, 10, 30], [None, 9.0, 8.0, 2.0])

    assert history.item_idx.tolist() == [0, 2]
    assert history.weights.tolist() == [1.0, 1.0]


def test_a_book_rated_low_counts_half() -> None:
    assert read_history(BOOK_IDS, [10, 20, 30], [4.5, 5.0, np.nan]).weights.tolist() == [0.5, 1.0, 1.0]
