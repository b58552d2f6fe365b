import pytest

from catalog.importing.rating_columns import (
    RatingCollector,
    RatingColumns,
    choose_best,
    find_left_behind,
    is_taken_back,
    overlay,
)

NAN = float("nan")


def columns(*rows: tuple[int, int, float, int | None]) -> RatingColumns:
    """Ratings by reader, book, value and date."""
    collected = RatingCollector()
    for row in rows:
        collected.add(*row)
    return collected.columns()


@pytest.mark.parametrize(
    ("several", "best"),
    [
        ([(9.0, 10), (4.0, 20), (6.0, 15)], 1),
        ([(4.0, None), (9.0, None), (NAN, None)], 1),
        ([(9.0, 10), (4.0, 20), (3.0, None)], 1),
        ([(9.0, 10), (4.0, 20), (5.0, None)], 2),
        ([(NAN, None), (NAN, 20), (NAN, 10)], 1),
        ([(9.0, 10), (NAN, 20)], 1),
        ([(4.0, 20), (9.0, 20)], 1),
    ],
)
def test_of_dated_ratings_the_newest_counts_and_with_undated_ones_the_highest(
    several: list[tuple[float, int | None]], best: int
) -> None:
    assert choose_best(columns(*((1, 1, *each) for each in several))).tolist() == [best]


def test_one_rating_of_each_reader_and_book_is_chosen_in_order() -> None:
    ratings = columns((2, 1, 4.0, 10), (1, 2, NAN, None), (1, 1, 7.0, 10), (1, 1, 6.0, 20), (2, 1, 5.0, 9))

    assert choose_best(ratings).tolist() == [3, 1, 0]
    assert choose_best(columns()).tolist() == []


def test_what_was_taken_back_stays_back_unless_it_is_dated_later() -> None:
    ratings = columns(
        (1, 1, 5.0, None), (1, 1, 5.0, 99), (1, 1, 5.0, 101), (1, 2, 5.0, None), (3, 1, 5.0, None)
    )
    withdrawn = columns((1, 1, NAN, 100), (2, 2, NAN, 100))

    assert is_taken_back(ratings, withdrawn).tolist() == [True, True, False, False, False]
    assert not is_taken_back(ratings, columns()).any()


def test_left_behind_is_what_readers_have_of_a_book_through_a_part_of_it_alone() -> None:
    ratings = columns((1, 7, 5.0, None), (2, 7, 5.0, None), (2, 8, 5.0, None), (3, 8, 5.0, None))

    assert find_left_behind(ratings, {(7, 8), (7, 9)}) == [(1, 8), (1, 9), (2, 9)]
    assert find_left_behind(ratings, set()) == []


def test_newer_ratings_lie_over_stored_ones_in_order() -> None:
    stored, newer = (
        columns((1, 2, 5.0, None), (3, 1, 5.0, None)),
        columns((1, 1, 8.0, None), (3, 1, 8.0, None)),
    )

    merged = overlay(stored, newer)

    assert list(merged.rows()) == [(8.0, None, 1, 1), (5.0, None, 1, 2), (8.0, None, 3, 1)]
