"""What the catalog tells otherwise than a version was told, column by column."""

import numpy as np
import pyarrow as pa

from pipeline.models.cards import SCHEMA
from pipeline.refreshing.changes import TOLD, compare_books


def cards(**columns: list[object]) -> pa.Table:
    """Cards with these columns, and nulls in all others."""
    n = len(columns["book_id"])
    values = {each.name: pa.array(columns.get(each.name, [None] * n), each.type) for each in SCHEMA}
    return pa.table(values, schema=SCHEMA)


OLD = cards(
    book_id=[1, 2, 3, 5],
    title=["a", "b", "c", "e"],
    authors=[["x"], [], ["x", "y"], ["z"]],
    year=[1, None, 3, 5],
)


def test_new_changed_and_removed_books_are_told_apart() -> None:
    now = cards(
        book_id=[1, 3, 4, 5],
        title=["a", "C", "d", "e"],
        authors=[["x"], ["y", "x"], [], ["z"]],
        year=[1, 3, 4, None],
    )

    changes = compare_books(OLD, now)

    assert changes.old_rows.tolist() == [0, 2, -1, 3]
    assert changes.new_rows.tolist() == [0, -1, 1, 3]
    assert (changes.n_removed, changes.n_changed) == (1, 2)
    assert changes.find("title").tolist() == [1, 2]
    assert changes.find("authors").tolist() == [1, 2]
    assert changes.find("year").tolist() == [2, 3]
    assert changes.take_old(np.array([10, 20, 30, 50])).tolist() == [10, 30, 0, 50]


def test_the_same_books_are_no_change_whatever_their_ratings() -> None:
    figures = OLD.set_column(SCHEMA.get_field_index("n_ratings"), "n_ratings", pa.array([1, 2, 3, 4]))

    assert compare_books(OLD, figures).is_none


def test_a_column_that_a_former_release_did_not_write_was_null() -> None:
    for name in TOLD:
        assert compare_books(OLD.drop_columns([name]), OLD).find(name).size <= 4

    now = cards(
        book_id=[1, 2], title=["a", "b"], authors=[["x"], []], year=[1, None], main_subject=["s", None]
    )
    changes = compare_books(now.drop_columns(["main_subject"]), now)

    assert changes.find(*TOLD).tolist() == [0]
