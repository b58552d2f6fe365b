from collections import Counter

import numpy as np
from scipy.sparse import csr_array

from pipeline.books import SubjectSets
from pipeline.evaluation.lists import (
    list_authors,
    name_favourites,
    serve_cold,
    serve_collaborative,
    serve_popular,
)
from pipeline.evaluation.readers import Readers
from servers.als.model import AlsModel, build_gram
from servers.embedder.model import EmbedderModel

N = 40
BOOK_IDS = np.arange(N) + 100
AUTHOR_OF = np.array([0] * 20 + list(range(1, 21)))
NONE = np.empty(0, dtype=np.float32)


def make_model(**blend: float) -> AlsModel:
    """Book i is the i-th most popular; the twenty most popular are by one author."""
    return AlsModel(
        book_ids=BOOK_IDS,
        item_factors=np.zeros((N, 2), dtype=np.float32),
        gram=build_gram(np.zeros((N, 2), dtype=np.float32), 1.0),
        neighbours=csr_array((N, N), dtype=np.float32),
        book_authors=csr_array((np.ones(N, dtype=np.float32), (np.arange(N), AUTHOR_OF)), shape=(N, 21)),
        popularity=np.linspace(1, 0.1, N, dtype=np.float32),
        params={
            "alpha": 16.0,
            "blend": {"als": 0.0, "neighbours": 0.0, "authors": 0.0, "popularity": 1.0, **blend},
        },
    )


def readers_of(*histories: list[int]) -> Readers:
    return Readers(
        user_ids=np.arange(len(histories)),
        histories=[np.array(history, dtype=np.int64) for history in histories],
        ratings=[np.full(len(history), np.nan, dtype=np.float32) for history in histories],
        held_out=[np.array([1])] * len(histories),
    )


def test_served_lists_keep_the_author_limit_and_leave_out_what_was_read() -> None:
    (served,) = serve_collaborative(make_model(), readers_of([100, 125]), k=15)

    assert not {100, 125} & set(served)
    authors = AUTHOR_OF[served - 100]
    for start in range(6):
        assert max(Counter(authors[start : start + 10].tolist()).values()) <= 2


def test_a_history_that_the_model_does_not_know_is_served_by_popularity() -> None:
    (served,) = serve_collaborative(make_model(), readers_of([7]), k=3)

    assert served.tolist() == [100, 101, 120]


def test_the_popularity_baseline_has_no_author_limit() -> None:
    first, second = serve_popular(BOOK_IDS, make_model().popularity, readers_of([101], []), k=4)

    assert first.tolist() == [100, 102, 103, 104]
    assert second.tolist() == [100, 101, 102, 103]


def test_authors_are_listed_for_each_book() -> None:
    assert list_authors(make_model())[18:22] == [(0,), (0,), (1,), (2,)]


def test_favourites_are_the_subjects_read_most_without_generic_ones() -> None:
    sets = SubjectSets(
        names=["Fiction", "Space", "Soup", "War"],
        is_generic=np.array([True, False, False, False]),
        offsets=np.array([0, 2, 4, 5, 5, 6]),
        subject_idx=np.array([0, 1, 0, 2, 2, 3]),
    )
    book_ids = np.array([100, 101, 102, 103, 104])

    favourites = name_favourites(sets, book_ids, readers_of([100, 101, 102], [103], [104]))

    assert favourites == [["Soup", "Space"], [], ["War"]]


def test_a_reader_known_by_subjects_gets_books_of_these_unless_nothing_is_known() -> None:
    embedder = EmbedderModel(
        ["Space", "Soup"], np.eye(2, dtype="f4"), np.zeros((2, 2), "f4"), np.zeros(2, "f4")
    )
    is_soup = np.arange(N) % 2 == 1
    vectors = np.stack([~is_soup, is_soup], axis=1).astype(np.float32)

    soup, nothing = serve_cold(
        make_model(),
        embedder,
        vectors,
        [["Soup"], ["Quidditch"]],
        readers_of([139], []),
        popularity_weight=0.1,
        k=5,
    )

    assert (is_soup[soup - 100]).all() and 139 not in soup
    assert nothing.tolist() == [100, 101, 120, 121, 122]
