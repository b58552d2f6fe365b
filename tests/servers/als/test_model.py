from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from evidence.als import Als, build_gram
from evidence.authors import Authors
from evidence.kind import weigh
from evidence.neighbours import Neighbours
from evidence.popularity import Popularity
from evidence.registry import Evidence
from foundation.author_limit import limit_authors, lower_to_fall
from servers.als.model import AlsModel
from servers.errors import NoKnownBooks

N, N_FACTORS, ALPHA = 30, 8, 16.0
RNG = np.random.default_rng(7)
FACTORS = RNG.normal(size=(N, N_FACTORS)).astype(np.float32)
NEIGHBOURS = np.triu(RNG.random((N, N)), 1) * (RNG.random((N, N)) < 0.3)
AUTHORS = (np.arange(N)[:, None] // 3 == np.arange(10)[None, :]).astype(np.float64)
READERS = RNG.integers(1, 100, N)
HISTORIES = st.sets(st.integers(0, N - 1), min_size=1, max_size=10)


def make_model(**blend: float) -> AlsModel:
    return AlsModel(
        book_ids=np.arange(N) * 10,
        evidence=Evidence(
            als=Als(FACTORS, build_gram(FACTORS, 0.1), {"alpha": ALPHA}),
            neighbours=Neighbours(csr_array(NEIGHBOURS.astype(np.float32))),
            authors=Authors(csr_array((np.sqrt(READERS)[:, None] * AUTHORS).astype(np.float32))),
            popularity=Popularity((np.log1p(READERS) / np.log1p(READERS.max())).astype(np.float32)),
        ),
        params={"blend": blend},
    )


def slow_scores(history: list[int], weights: np.ndarray, blend: dict[str, float]) -> np.ndarray:
    """The blend in float64, term by term as the docstrings have it."""
    confidence = np.ones(N)
    confidence[history] = ALPHA
    y = FACTORS.astype(np.float64)
    n_read = np.maximum(AUTHORS[history].sum(axis=0), 1)
    popularity = np.log1p(READERS) / np.log1p(READERS.max())

    def fold_in(weights: np.ndarray) -> np.ndarray:
        preference = np.zeros(N)
        preference[history] = weights
        return np.linalg.solve(
            (y.T * confidence) @ y + 0.1 * np.eye(N_FACTORS), (y.T * confidence) @ preference
        )

    def score(weights: np.ndarray, user: np.ndarray) -> dict[str, np.ndarray]:
        return {
            "als": y @ user,
            "neighbours": weights @ NEIGHBOURS[history],
            "authors": np.sqrt(READERS) * (AUTHORS @ (weights @ AUTHORS[history] / np.sqrt(n_read))),
            "popularity": popularity,
        }

    unweighted = np.ones(len(history))
    user, unrated_user = fold_in(weights), fold_in(unweighted)
    growth = np.linalg.norm(unrated_user) / np.linalg.norm(user)
    parts, units = score(weights, user), score(unweighted, user * growth)
    others = np.setdiff1d(np.arange(N), history)
    total = np.zeros(N)
    for kind, part in parts.items():
        largest = np.abs(units[kind][others]).max()
        total += blend[kind] * (part / largest if largest > 1e-9 else 0)
    return total


@given(history=HISTORIES, seed=st.integers(0, 100))
def test_scores_are_the_blend_of_all_evidence(history: set[int], seed: int) -> None:
    blend = dict(
        zip(
            ["als", "neighbours", "authors", "popularity"],
            np.random.default_rng(seed).dirichlet(np.ones(4)),
            strict=True,
        )
    )
    rows = sorted(history)
    ratings = [None if row % 3 == 0 else 2.0 if row % 3 == 1 else 8.0 for row in rows]

    book_ids, scores = make_model(**blend).rank([row * 10 for row in rows], ratings, k=N)

    weights = weigh(np.array(ratings, dtype=np.float32), 1.0)
    expected = slow_scores(rows, weights, blend)
    np.testing.assert_allclose(scores, expected[book_ids // 10], rtol=2e-3, atol=2e-3)


@given(history=HISTORIES, excluded=st.sets(st.integers(0, N - 1)), k=st.integers(1, 40))
def test_neither_history_nor_excluded_books_come_back_and_scores_fall(
    history: set[int], excluded: set[int], k: int
) -> None:
    model = make_model(als=0.5, popularity=0.5)

    book_ids, scores = model.rank(
        [row * 10 for row in history], [None] * len(history), k=k, exclude=[row * 10 for row in excluded]
    )

    assert not set(book_ids // 10) & (history | excluded)
    assert len(set(book_ids)) == len(book_ids) == min(k, N - len(history | excluded))
    assert (np.diff(scores) <= 0).all()


def test_ties_are_broken_by_book_id() -> None:
    book_ids, _ = make_model(neighbours=1.0).rank([(N - 1) * 10], [None], k=5)  # speaks for nobody

    assert book_ids.tolist() == [0, 10, 20, 30, 40]


def test_a_popularity_weight_of_one_ranks_by_popularity_alone() -> None:
    book_ids, scores = make_model(als=0.9, authors=0.1).rank([0], [None], k=N, popularity_weight=1.0)

    expected = np.argsort(-READERS[1:], kind="stable") + 1
    assert (book_ids // 10).tolist() == expected.tolist()
    assert scores[0] == pytest.approx(1.0)


def test_a_popularity_weight_of_none_and_of_the_tuned_share_agree() -> None:
    model = make_model(als=0.5, neighbours=0.3, popularity=0.2)

    tuned = model.rank([0, 50], [None, None], k=10)
    given_share = model.rank([0, 50], [None, None], k=10, popularity_weight=0.2)

    np.testing.assert_array_equal(tuned[0], given_share[0])
    np.testing.assert_allclose(tuned[1], given_share[1], rtol=1e-5)


def test_a_book_given_twice_counts_once() -> None:
    model = make_model(als=0.5, neighbours=0.5)

    once, twice = model.rank([0], [None], k=5), model.rank([0, 0], [None, None], k=5)

    np.testing.assert_array_equal(once[0], twice[0])
    np.testing.assert_array_equal(once[1], twice[1])


def test_a_history_of_unknown_books_is_refused() -> None:
    with pytest.raises(NoKnownBooks, match="2 books"):
        make_model(als=1.0).rank([5, 7], [None, None], k=3)


@given(history=HISTORIES)
def test_explanations_are_shares_of_the_history(history: set[int]) -> None:
    model = make_model(als=0.4, neighbours=0.3, authors=0.3)
    ids = [row * 10 for row in sorted(history)]

    for explained in model.explain(ids, [None] * len(ids), [0, 50, 290], k=N):
        shares = [share for _, share in explained]
        assert {book_id for book_id, _ in explained} <= set(ids)
        assert shares == sorted(shares, reverse=True)
        assert not shares or sum(shares) == pytest.approx(1.0, abs=1e-5)


def test_a_book_by_an_author_of_the_history_is_explained_by_that_authors_book() -> None:
    explained = make_model(authors=1.0).explain([0, 90], [None, None], [10], k=3)

    assert explained == [[(0, pytest.approx(1.0))]]


def test_a_book_for_which_nothing_speaks_has_no_explanation() -> None:
    assert make_model(popularity=1.0).explain([0], [None], [100, 5], k=3) == [[], []]


def test_a_book_does_not_speak_for_itself_and_a_hated_one_for_none() -> None:
    """Books 0, 10 and 20 are by one author."""
    model = make_model(authors=1.0)

    [of_one_that_was_read] = model.explain([0, 10], [None, None], [10], k=3)
    [of_a_hated_and_another] = model.explain([0, 10], [1.0, None], [20], k=3)

    assert of_one_that_was_read == [(0, pytest.approx(1.0))]
    assert of_a_hated_and_another == [(10, pytest.approx(1.0))]


def test_a_reader_who_hates_all_they_read_gets_a_full_list_with_nothing_like_it_first() -> None:
    model = make_model(authors=0.9, popularity=0.1)

    book_ids, scores = model.rank([0, 30], [1.0, 1.0], k=N)

    assert len(book_ids) == N - 2
    assert set(book_ids[-4:]) == {10, 20, 40, 50}  # by the two hated authors
    assert (scores[-4:] < 0).all() and scores[0] > 0


def test_in_the_units_of_a_version_scores_are_weighed_by_how_much_there_is_to_say() -> None:
    blend, units = {"neighbours": 0.6, "popularity": 0.4}, {"neighbours": 2.0, "popularity": 0.5}
    model = replace(make_model(), params={"blend": blend, "units": units})

    for history in ([0, 10], [0, 10, 20, 50, 80]):
        ids, scores = model.rank(history, [None] * len(history), k=N)

        summed = NEIGHBOURS[np.array(history) // 10].sum(axis=0)
        expected = 0.6 * summed / 2.0 + 0.4 * model.evidence.popularity.popularity / 0.5
        np.testing.assert_allclose(scores, expected[ids // 10], rtol=1e-4, atol=1e-6)


def test_a_kind_without_a_unit_says_nothing() -> None:
    model = replace(
        make_model(), params={"blend": {"als": 0.5, "popularity": 0.5}, "units": {"popularity": 1.0}}
    )

    ids, _ = model.rank([0], [None], k=N)

    popularity = model.evidence.popularity.popularity
    assert list(popularity[ids // 10]) == sorted(popularity[1:], reverse=True)


def test_without_rating_strength_ratings_change_nothing() -> None:
    model = make_model(als=0.4, neighbours=0.3, authors=0.3)

    rated = model.rank([0, 50], [1.0, 10.0], k=N, rating_strength=0)
    unrated = model.rank([0, 50], [None, None], k=N)

    np.testing.assert_array_equal(rated[0], unrated[0])


@given(history=HISTORIES, limit=st.integers(1, 3), k=st.integers(1, 12))
def test_with_an_author_limit_lists_are_as_who_limits_the_whole_ranking_has_them(
    history: set[int], limit: int, k: int
) -> None:
    model = make_model(als=0.4, neighbours=0.2, authors=0.4)
    ids = [row * 10 for row in history]
    whole, scores = model.rank(ids, [None] * len(ids), k=N)

    ranked, limited = model.rank(ids, [None] * len(ids), k=k, author_limit=limit)

    expected = limit_authors(([book_id // 30] for book_id in whole.tolist()), k, most=limit)
    assert ranked.tolist() == whole[expected].tolist()
    assert limited.tolist() == pytest.approx(lower_to_fall(scores[expected].tolist()))
