"""Rows of libraries find their books, on a labelled set of our own, and never a wrong one in silence."""

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from catalog.database import Database
from catalog.importing import import_source
from catalog.library.matching import Match
from tests.catalog.library.labelled import (
    NONE,
    LabelledRow,
    add_up,
    judge,
    list_books,
    match_labelled,
    read_rows,
)

Matched = list[tuple[LabelledRow, Match]]


@pytest.fixture
def session(sqlite: Database) -> Iterator[Session]:
    """Of the catalog of the labelled set."""
    import_source(sqlite, list_books())
    with sqlite.session() as session:
        yield session


def test_the_set_is_as_large_and_as_hard_as_we_say() -> None:
    rows = read_rows()

    absent = [row for row in rows if row.book == NONE]

    assert len(rows) - len(absent) >= 300
    assert {row.kind for row in absent} >= {"absent author", "absent title", "absent guide", "absent volume"}
    assert len(absent) >= 100
    assert 0.4 < sum(row.is_reported for row in rows) / len(rows) < 0.6
    assert len({(row.title, row.authors, row.isbn) for row in rows}) == len(rows)


def test_on_the_half_that_nothing_was_tuned_on(session: Session) -> None:
    rows = [row for row in read_rows() if row.is_reported]

    verdicts = add_up(judge(session, match_labelled(session, rows)).values())

    assert verdicts.precision >= 0.99
    assert verdicts.recall >= 0.9


def test_what_is_unsure_comes_with_the_right_book_among_the_candidates(session: Session) -> None:
    unsure = [
        (row, match)
        for row, match in match_labelled(session, [row for row in read_rows() if row.book != NONE])
        if not match.is_sure and match.guesses
    ]

    assert unsure
    assert all(0 < guess.confidence < 1 for _, match in unsure for guess in match.guesses)
    as_if_sure = [
        (row, Match(match.row, (guess,), is_sure=True)) for row, match in unsure for guess in match.guesses
    ]
    assert add_up(judge(session, as_if_sure).values()).right >= 0.8 * len(unsure)
