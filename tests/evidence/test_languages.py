"""Books in the languages of a history come up, and the more of it is in a language the more they do."""

import numpy as np
import pytest

from evidence.kind import History
from evidence.languages import Languages, number_language

ENGLISH, GERMAN, FRENCH = (number_language(code) for code in ("eng", "ger", "fre"))
KIND = Languages(np.array([ENGLISH, GERMAN, GERMAN, GERMAN, 0, FRENCH, ENGLISH, 0], dtype=np.int32))


def score(item_idx: list[int], weights: list[float]) -> list[float]:
    return KIND.score(History(np.array(item_idx), np.array(weights, dtype=np.float32))).scores.tolist()


def test_a_book_is_scored_by_the_share_of_the_history_in_its_language() -> None:
    assert score([0, 1, 2, 4], [1, 1, 1, 1]) == [0.25, 0.5, 0.5, 0.5, 0, 0, 0.25, 0]


def test_a_book_of_no_told_language_is_like_no_other() -> None:
    assert not any(score([4], [1]))


def test_a_better_rating_raises_the_books_in_its_language_and_no_others() -> None:
    before, after = np.array(score([0, 1], [1, 1])), np.array(score([0, 1], [1, 1.3]))

    raised = np.flatnonzero(after != before)

    assert raised.tolist() == [1, 2, 3]
    assert (after[raised] > before[raised]).all()


def test_a_book_that_nobody_has_read_yet_has_no_language_until_it_is_told() -> None:
    assert KIND.spread(np.array([0, 2, 3, 5, 6, 7, 8, 9]), 10).languages[[1, 4]].tolist() == [0, 0]


@pytest.mark.parametrize("code", ["eng", "zza", "aar"])
def test_a_language_has_a_number_of_its_own_above_none(code: str) -> None:
    numbers = {number_language(other) for other in ("ger", "fre", "mul")}

    assert number_language(code) > 0
    assert number_language(code) not in numbers
