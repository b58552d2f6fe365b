import numpy as np
from scipy.sparse import csr_array

from evidence.kind import TrainingData
from evidence.neighbours import Neighbours, NeighboursParams, build_neighbours, weigh_bm25
from foundation.tools import Tools

PARAMS = NeighboursParams(n_neighbours=4)
USER_ITEMS = csr_array((np.random.default_rng(2).random((40, 25)) < 0.25).astype(np.float32))


def slow_bm25(user_items: np.ndarray, k1: float, b: float) -> np.ndarray:
    n_users, n_items = user_items.shape
    lengths = user_items.sum(axis=0)
    weights = np.zeros((n_items, n_users))
    for item in range(n_items):
        for user in range(n_users):
            idf = max(0.0, np.log(n_items) - np.log1p(user_items[user].sum()))
            x = user_items[user, item]
            norm = k1 * ((1 - b) + b * lengths[item] / lengths.mean())
            weights[item, user] = x * (k1 + 1) / (norm + x) * idf
    return weights


def test_bm25_weights_are_those_of_the_formula() -> None:
    weights = weigh_bm25(USER_ITEMS, k1=0.4, b=0.2)

    np.testing.assert_allclose(weights.toarray(), slow_bm25(USER_ITEMS.toarray(), 0.4, 0.2), rtol=1e-6)


def test_each_book_keeps_those_that_speak_for_it_most() -> None:
    found = build_neighbours(USER_ITEMS, params=PARAMS).toarray()

    weights = slow_bm25(USER_ITEMS.toarray(), PARAMS.bm25_k1, PARAMS.bm25_b)
    norms = np.linalg.norm(weights, axis=1)
    full = weights @ weights.T / ((norms + norms.mean() / 2) ** PARAMS.source_exponent)[:, None]
    np.fill_diagonal(full, 0)
    for target in range(full.shape[1]):
        best = np.argsort(-full[:, target], kind="stable")[:4]
        expected = np.zeros(full.shape[0])
        expected[best] = full[best, target]
        np.testing.assert_allclose(found[:, target], expected, rtol=1e-5)


def fit(read: np.ndarray, authors: np.ndarray, **weights: float) -> np.ndarray:
    data = TrainingData(
        user_items=csr_array(read),
        counts=np.count_nonzero(read, axis=0),
        book_authors=csr_array(authors),
        title_words=csr_array((read.shape[1], 0), dtype=np.float32),
        languages=np.zeros(read.shape[1], dtype=np.int32),
    )
    tools = Tools(threads=1, advance=lambda share: None, workspace=None)  # type: ignore[arg-type]
    params = NeighboursParams(n_neighbours=4, **weights)
    return Neighbours.fit(data, params, seed=1, tools=tools).weights.toarray()


def test_an_author_counts_like_a_reader_of_just_their_books() -> None:
    read = USER_ITEMS.toarray()
    authors = np.zeros((25, 2), dtype=np.float32)
    authors[[7, 8, 21], 0] = authors[3, 1] = 1

    found = fit(read, authors, author_weight=1.0)

    expected = build_neighbours(csr_array(np.vstack([read, authors[:, 0]])), params=PARAMS)
    np.testing.assert_array_equal(found, expected.toarray())


def test_a_book_that_nobody_read_beside_others_is_spoken_for_by_others_of_its_author() -> None:
    read = USER_ITEMS.toarray()
    read[:, 7] = 0
    read = np.vstack([read, np.eye(25, dtype=np.float32)[7]])
    authors = np.isin(np.arange(25), [7, 8])[:, None].astype(np.float32)

    assert np.flatnonzero(fit(read, authors)[:, 7]).tolist() == [8]
    assert not fit(read, authors, author_weight=0.0)[:, 7].any()
