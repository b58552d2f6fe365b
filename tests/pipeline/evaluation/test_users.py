import numpy as np

from pipeline.evaluation.users import choose_users
from pipeline.records import Interactions, build_fold


def make(pairs: list[tuple[int, int]]) -> Interactions:
    users, books = np.array(sorted(pairs), dtype=np.int64).T
    return Interactions(users, books, np.arange(users.size, dtype=np.float32))


TRAIN = build_fold(make([(user, book) for user in range(20) for book in (1, 2 + user)]))


def test_readers_come_with_what_they_read_and_what_they_held_out() -> None:
    users = choose_users(TRAIN, make([(3, 50), (3, 40), (7, 60)]), at_most=10)

    assert users.user_ids.tolist() == [3, 7]
    assert [history.tolist() for history in users.histories] == [[1, 5], [1, 9]]
    assert [books.tolist() for books in users.held_out] == [[40, 50], [60]]
    assert users.ratings[0].tolist() == [6.0, 7.0]


def test_readers_without_a_history_are_left_out() -> None:
    assert choose_users(TRAIN, make([(3, 50), (99, 1)]), at_most=10).user_ids.tolist() == [3]


def test_a_sample_is_kept_when_readers_come_and_go() -> None:
    held_out = make([(user, 70) for user in range(20)])

    sample = set(choose_users(TRAIN, held_out, at_most=5).user_ids.tolist())
    without_one = held_out.take(held_out.user_ids != min(sample))
    later = set(choose_users(TRAIN, without_one, at_most=5).user_ids.tolist())

    assert len(sample) == len(later) == 5
    assert sample - {min(sample)} <= later


def test_a_part_of_the_readers_keeps_their_lists_together() -> None:
    users = choose_users(TRAIN, make([(3, 50), (7, 60)]), at_most=10)

    part = users.take(np.array([False, True]))

    assert (part.size, part.user_ids.tolist(), part.held_out[0].tolist()) == (1, [7], [60])
