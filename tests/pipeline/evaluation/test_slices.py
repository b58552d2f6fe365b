import numpy as np

from pipeline.evaluation.slices import find_head, slice_by_history
from pipeline.evaluation.users import EvaluationUsers

LENGTHS = np.array([1, 4, 5, 9, 10, 50, 70])


def test_the_head_are_the_most_read_books_with_half_of_all_readings() -> None:
    counts = np.array([1, 40, 9, 30, 20])

    np.testing.assert_array_equal(find_head(counts), [False, True, False, True, False])


def test_readers_are_told_apart_by_how_much_they_have_read() -> None:
    histories = [np.arange(length) for length in LENGTHS]
    ratings = [np.full(length, 8, dtype=np.float32) for length in LENGTHS]
    users = EvaluationUsers(np.arange(LENGTHS.size), histories, ratings, histories, ratings)

    found = {name: LENGTHS[mask].tolist() for name, mask in slice_by_history(users)}

    assert found == {
        "history_1_4": [1, 4],
        "history_5_9": [5, 9],
        "history_10_19": [10],
        "history_from_50": [50, 70],
    }
