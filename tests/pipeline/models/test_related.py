import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array

from pipeline.models.related import move_related, relate_by_authors, relate_by_readers


@given(arrays(np.bool_, (12, 7)))
def test_books_read_together_weigh_what_the_formula_says(read: np.ndarray) -> None:
    user_items = csr_array(read.astype("f4"))

    related = relate_by_readers(user_items, n=7).toarray()

    together = (read.T.astype("f8") @ read).astype("f8")
    readers = np.maximum(np.diag(together), 1)
    expected = 2 * together / np.outer(readers**0.75, readers**0.25) * together / (together + 10)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(related, expected, rtol=1e-5)


def test_only_the_most_are_kept() -> None:
    read = np.array([[1, 1, 1, 0], [1, 1, 0, 1], [1, 1, 0, 0]], dtype="f4")

    related = relate_by_readers(csr_array(read), n=1)

    assert related.toarray()[0].nonzero()[0].tolist() == [1]


def test_an_authors_popular_books_weigh_most() -> None:
    wrote = csr_array(np.array([[1, 0], [1, 0], [1, 0], [0, 1]], dtype="f4"))

    related = relate_by_authors(wrote, np.array([0, 1, 0.5, 1], dtype="f4"), n=2).toarray()

    np.testing.assert_allclose(related[0], [0, 0.3, 0.225, 0], rtol=1e-6)
    assert not related[3].any()


@given(st.permutations(range(5)), st.integers(0, 4))
def test_weights_move_with_their_books(places: list[int], gone: int) -> None:
    before = np.arange(25, dtype="f4").reshape(5, 5)
    new_rows = np.array(places)
    new_rows[gone] = -1

    moved = move_related(csr_array(before), new_rows, 6).toarray()

    stays = np.flatnonzero(new_rows >= 0)
    np.testing.assert_array_equal(
        moved[np.ix_(new_rows[stays], new_rows[stays])], before[np.ix_(stays, stays)]
    )
    assert moved.sum() == before[np.ix_(stays, stays)].sum()
