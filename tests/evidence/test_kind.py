import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from evidence.kind import read_history, weigh

BOOK_IDS = np.array([10, 20, 30, 40])
NO_RATING = float("nan")


def weigh_one(rating: float, strength: float = 1.0) -> float:
    return float(weigh(np.array([rating], dtype=np.float32), strength)[0])


def test_a_history_is_the_known_books_in_their_order_each_once() -> None:
    history = read_history(BOOK_IDS, [30, 99, 10, 30], [None, 9.0, 8.0, 2.0])

    assert history.item_idx.tolist() == [0, 2]
    assert history.weights.tolist() == [np.float32(weigh_one(8.0)), 1.0]


@given(st.floats(1, 9.9), st.floats(0.1, 2))
def test_a_higher_rating_counts_more(rating: float, strength: float) -> None:
    assert weigh_one(rating + 0.1, strength) > weigh_one(rating, strength)


def test_a_hated_book_counts_against_its_like_and_one_without_a_rating_less_than_a_loved_one() -> None:
    assert weigh_one(1) < 0 < weigh_one(6) < weigh_one(NO_RATING) < weigh_one(7) < weigh_one(10)


def test_without_strength_no_rating_counts() -> None:
    assert weigh(np.array([1, 5, 10, NO_RATING], dtype=np.float32), 0).tolist() == [1, 1, 1, 1]


def test_a_history_knows_whether_any_rating_counts() -> None:
    assert read_history(BOOK_IDS, [10, 20], [None, 9.0]).is_rated
    assert not read_history(BOOK_IDS, [10, 20], [None, None]).is_rated
