import numpy as np

from catalog.importing.rating_columns import UNDATED, RatingCollector, RatingColumns, overlay

NAN = float("nan")


def test_the_best_of_duplicates_is_the_highest_explicit_rating_then_the_newest() -> None:
    collected = RatingCollector()
    collected.add("a", 2, 1, 4.0, 10)
    collected.add("a", 1, 1, NAN, 99)
    collected.add("b", 1, 1, 7.0, 10)
    collected.add("b", 1, 1, 7.0, 20)
    collected.add("b", 1, 2, NAN, None)

    best, counts = collected.choose_best()

    assert best.pairs().tolist() == sorted(best.pairs().tolist())
    assert list(best.rows()) == [(7.0, 20, 1, 1), (None, None, 1, 2), (4.0, 10, 2, 1)]
    assert counts == {"a": (1, 1), "b": (2, 1)}


def test_nothing_collected_is_no_row() -> None:
    best, counts = RatingCollector().choose_best()

    assert (list(best.rows()), counts) == ([], {})


def test_newer_ratings_lie_over_stored_ones_in_order() -> None:
    def columns(*pairs: tuple[int, int], rating: float) -> RatingColumns:
        user_id, book_id = np.array(pairs, dtype=np.int64).T
        return RatingColumns(user_id, book_id, np.full(len(pairs), rating), np.full(len(pairs), UNDATED))

    merged = overlay(columns((1, 2), (3, 1), rating=5.0), columns((1, 1), (3, 1), rating=8.0))

    assert list(merged.rows()) == [(8.0, None, 1, 1), (5.0, None, 1, 2), (8.0, None, 3, 1)]
