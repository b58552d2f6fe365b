import numpy as np
import pytest
from scipy.sparse import csr_array

from evidence.ease import Ease, EaseParams, build_weights
from evidence.kind import History, TrainingData
from foundation.tools import Tools

READ = (np.random.default_rng(2).random((60, 25)) < 0.25).astype(np.float32)
USER_ITEMS = csr_array(READ)
PUBLISHED = EaseParams(regularization=20.0, reader_exponent=0.0)


def dense_ease(read: np.ndarray, regularization: float) -> np.ndarray:
    """Steck 2019, equation 8, in float64."""
    inverse = np.linalg.inv(read.T.astype(np.float64) @ read + regularization * np.eye(read.shape[1]))
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights


def test_with_all_books_and_weights_it_is_the_published_model() -> None:
    found = build_weights(USER_ITEMS, params=PUBLISHED).toarray()

    np.testing.assert_allclose(found, dense_ease(READ, 20.0), rtol=1e-3, atol=1e-6)


def test_readers_of_many_books_are_damped() -> None:
    found = build_weights(USER_ITEMS, params=EaseParams(regularization=20.0, reader_exponent=0.5)).toarray()

    n_read = READ.sum(axis=1)
    damped = n_read**-0.5
    damped *= n_read.sum() / (damped @ n_read)
    expected = dense_ease(READ * np.sqrt(damped)[:, None], 20.0)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)


def test_only_the_most_read_books_have_weights_as_if_there_were_no_others() -> None:
    most_read = np.sort(np.argsort(-READ.sum(axis=0), kind="stable")[:10])

    found = build_weights(USER_ITEMS, params=PUBLISHED.model_copy(update={"n_books": 10})).toarray()

    np.testing.assert_allclose(
        found[np.ix_(most_read, most_read)], dense_ease(READ[:, most_read], 20.0), rtol=1e-3, atol=1e-6
    )
    assert np.count_nonzero(found) == 90


def test_what_books_have_in_common_counts_like_readers_of_just_these() -> None:
    traits = np.zeros((25, 3), dtype=np.float32)
    traits[[1, 2, 20], 0] = traits[[5, 6], 1] = traits[9, 2] = 1

    found = build_weights(USER_ITEMS, [(csr_array(traits), 4.0)], params=PUBLISHED).toarray()

    readers = np.vstack([READ, 2 * traits[:, 0], 2 * traits[:, 1]])  # what one book has tells of no other
    np.testing.assert_allclose(found, dense_ease(readers, 20.0), rtol=1e-3, atol=1e-6)


def test_a_book_that_hardly_anybody_read_is_foretold_by_others_of_its_author() -> None:
    read = READ.copy()
    read[:, 7] = 0
    read[0, 7] = 1
    written = csr_array(np.isin(np.arange(25), [7, 8])[:, None].astype(np.float32))

    found = build_weights(csr_array(read), [(written, 10.0)], params=EaseParams()).toarray()

    assert found[:, 7].argmax() == 8


def test_each_book_keeps_the_largest_weights_of_either_sign() -> None:
    found = build_weights(USER_ITEMS, params=PUBLISHED.model_copy(update={"n_weights": 100})).toarray()

    full = dense_ease(READ, 20.0)
    for target in range(25):
        largest = np.argsort(-np.abs(full[:, target]))[:4]
        assert set(np.flatnonzero(found[:, target])) == set(largest)


def test_more_books_do_not_take_more_than_the_bounds() -> None:
    many = csr_array((np.random.default_rng(3).random((300, 700)) < 0.05).astype(np.float32))

    found = build_weights(many, params=EaseParams(n_books=600, n_weights=6000))

    assert found.nnz <= 6000
    assert np.unique(found.nonzero()).size <= 600


def test_a_history_that_no_reader_had_is_scored_by_the_sum_of_its_books() -> None:
    told = csr_array((25, 0), dtype=np.float32)
    counts, languages = READ.sum(axis=0).astype(np.int64), np.zeros(25, dtype=np.int32)
    data = TrainingData(USER_ITEMS, counts, book_authors=told, title_words=told, languages=languages)
    tools = Tools(threads=1, advance=lambda share: None, workspace=None)  # type: ignore[arg-type]
    ease = Ease.fit(data, PUBLISHED, seed=1, tools=tools)
    history = History(np.array([3, 11]), np.array([1.0, 0.5], dtype=np.float32))

    scores, unit = ease.score(history)

    expected = dense_ease(READ, 20.0)[[3, 11]]
    np.testing.assert_allclose(scores, expected[0] + expected[1] / 2, rtol=1e-3, atol=1e-6)
    assert unit == pytest.approx(np.abs(np.delete(expected.sum(axis=0), [3, 11])).max(), rel=1e-3)


@pytest.mark.parametrize("n_books", [1, 2])
def test_hardly_any_book_is_enough(n_books: int) -> None:
    found = build_weights(csr_array(READ[:, :n_books]), params=PUBLISHED)

    assert found.shape == (n_books, n_books)
    assert np.isfinite(found.data).all()
