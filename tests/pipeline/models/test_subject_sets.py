from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.models.subject_sets import (
    NO_SUBJECT,
    collect_authors,
    collect_subject_sets,
    collect_title_words,
    find_favourites,
)
from pipeline.records import Export
from pipeline.steps.s1_export import export
from tests.pipeline.catalogs import Work, write_catalog

WORKS = [
    Work("A", "Ann", ("War", "Fiction")),
    Work("B", None, ()),
    Work("C", "Ann", ("Soup", "War")),
    Work("D", "Bob", ("Love",)),
]


@pytest.fixture
def catalog(tmp_path: Path) -> Export:
    db = write_catalog(tmp_path / "catalog.db", WORKS, [])
    yield export(db)
    db.close()


def test_subject_sets_keep_the_most_telling_first_and_only_what_occurs(catalog: Export) -> None:
    sets = collect_subject_sets(catalog.book_subjects, catalog.subjects, np.array([1, 2, 3]))

    assert sets.names == ["Fiction", "Soup", "War"]
    assert sets.is_generic.tolist() == [True, False, False]
    assert sets.offsets.tolist() == [0, 2, 2, 4]
    assert [sets.names[idx] for idx in sets.subject_idx] == ["War", "Fiction", "Soup", "War"]
    assert sets.matrix.toarray().tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 1]]


def test_subject_sets_can_be_laid_out_by_a_given_vocabulary(catalog: Export) -> None:
    sets = collect_subject_sets(
        catalog.book_subjects, catalog.subjects, np.array([1, 4]), known=["Love", "Soup"]
    )

    assert sets.names == ["Love", "Soup"]
    assert sets.offsets.tolist() == [0, 0, 1]
    assert sets.subject_idx.tolist() == [0]


def test_authors_are_columns_of_those_who_wrote_one_of_the_books(catalog: Export) -> None:
    assert collect_authors(catalog.book_authors, np.array([1, 2, 3])).toarray().tolist() == [[1], [0], [1]]


def test_words_of_titles_are_those_that_two_titles_have_and_that_tell_something() -> None:
    titles = ["The Soup of War", "War Soup II", "Soups", "Élan vital", "War and War"] + ["Rose"] * 201
    books = pa.table({"book_id": [2, 3, 5, 6, 8, *range(10, 211)], "title": titles})

    found = collect_title_words(books, np.array([2, 3, 4, 5, 8, *range(10, 211)]))

    assert found[:5].toarray().tolist() == [[1, 1], [1, 1], [0, 0], [0, 0], [0, 1]]
    assert not found[5:].nnz


def test_titles_without_words_have_none() -> None:
    books = pa.table({"book_id": [1, 2], "title": ["It", ""]})

    assert collect_title_words(books, np.array([1, 2])).shape == (2, 0)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=9), st.integers(1, 6))
def test_favourites_are_the_largest_counts_with_ties_by_column(counts: list[int], n: int) -> None:
    is_generic = np.arange(len(counts)) == 0

    (found,) = find_favourites(np.array([counts], dtype=np.float32), is_generic, n)

    ranked = sorted(
        (idx for idx in range(1, len(counts)) if counts[idx]), key=lambda idx: (-counts[idx], idx)
    )
    assert found.tolist() == (ranked + [NO_SUBJECT] * n)[:n]
