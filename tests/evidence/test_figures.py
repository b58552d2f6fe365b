"""Figures of books are compared with those of a history, and are never unknown."""

import numpy as np

from evidence.figures import Figures

FIGURES = Figures(
    ["readers", "year"], np.array([[1, 1990], [2, 2000], [6, 2010], [3, 1960]], dtype=np.float32)
)


def test_books_are_compared_with_the_mean_of_the_history() -> None:
    compared = FIGURES.compare(["readers", "year"], np.array([2, 3]), np.array([0, 1]))

    assert compared.tolist() == [[4.5, 15], [1.5, -35]]


def test_a_figure_is_known_by_its_name() -> None:
    compared = FIGURES.compare(["year"], np.array([2, 3]), np.array([0, 1]))

    assert compared.tolist() == [[15], [-35]]


def test_a_book_of_which_nothing_is_known_has_what_most_have() -> None:
    spread = FIGURES.spread(np.array([0, 2, 3, 4]), 5)

    assert spread.values[1].tolist() == [2.5, 1995]
    np.testing.assert_array_equal(spread.values[[0, 2, 3, 4]], FIGURES.values)


def test_what_is_told_anew_replaces_what_was_known() -> None:
    told = FIGURES.tell("year", np.array([np.nan, 2001, np.nan, np.nan]))

    assert told.values.tolist() == [[1, 1990], [2, 2001], [6, 2010], [3, 1960]]
