"""The threshold algorithm against brute force."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from gateway.recommend.threshold import Scored, ThresholdBlend

scores = st.floats(-1, 1, width=32)
popularities = st.floats(0, 1, width=32)
weights = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1))


class _Owner:
    """A server that owns one score: lists its books best first, and scores books on demand."""

    def __init__(self, scored: Mapping[int, float]) -> None:
        self._scored = scored
        self._order = sorted(scored, key=lambda book_id: (-scored[book_id], book_id))
        self.n_listed = 0

    def page(self, n: int) -> tuple[list[Scored], bool]:
        books = self._order[self.n_listed : self.n_listed + n]
        self.n_listed += n
        return [Scored(book_id, self._scored[book_id]) for book_id in books], self.n_listed >= len(
            self._order
        )

    def look_up(self, book_ids: list[int]) -> dict[int, float]:
        return {book_id: self._scored.get(book_id, 0.0) for book_id in book_ids}


def _blend(left: _Owner, right: _Owner, weight: float, *, page: int, k: int) -> list[Scored]:
    blend, taken = ThresholdBlend(weight), list[Scored]()
    while len(taken) < k and not blend.is_done:
        for side, owner in ((0, left), (1, right)):
            books, is_end = owner.page(page)
            blend.extend(side, books, closed=is_end)  # type: ignore[arg-type]
        blend.learn(0, left.look_up(blend.missing(0)))
        blend.learn(1, right.look_up(blend.missing(1)))
        taken += blend.take()
    return taken


@given(
    left=st.dictionaries(st.integers(0, 60), scores, max_size=40),
    right=st.dictionaries(st.integers(0, 60), popularities, max_size=40),
    weight=weights,
    page=st.integers(1, 7),
    k=st.integers(1, 80),
)
def test_the_first_k_are_those_of_brute_force(
    left: dict[int, float], right: dict[int, float], weight: float, page: int, k: int
) -> None:
    taken = _blend(_Owner(left), _Owner(right), weight, page=page, k=k)

    def total(book_id: int) -> float:
        return weight * left.get(book_id, 0.0) + (1 - weight) * right.get(book_id, 0.0)

    expected = sorted((total(book_id) for book_id in left.keys() | right.keys()), reverse=True)
    assert [book.score for book in taken[:k]] == expected[:k]
    assert all(book.score == total(book.book_id) for book in taken)
    assert len({book.book_id for book in taken}) == len(taken)


def test_equal_scores_come_in_the_order_of_their_ids_once_all_is_read() -> None:
    taken = _blend(_Owner({5: 0.5, 3: 0.5}), _Owner({4: 0.5, 3: 0.0}), 0.5, page=9, k=9)

    assert [book.book_id for book in taken] == [3, 4, 5]


def test_two_lists_that_agree_are_read_no_deeper_than_needed() -> None:
    same = {book_id: 1 - book_id / 10_000 for book_id in range(10_000)}
    left, right = _Owner(same), _Owner(same)

    taken = _blend(left, right, 0.4, page=10, k=10)

    assert [book.book_id for book in taken[:10]] == list(range(10))
    assert left.n_listed == right.n_listed == 10


def test_a_book_that_the_list_leaves_out_is_not_overtaken_by_negative_scores() -> None:
    # Book 9 has no vector, so the left list ends without it; it still beats everything with a negative score.
    left, right = _Owner({1: -0.5, 2: -0.6}), _Owner({1: 0.2, 2: 0.1, 9: 0.05})

    taken = _blend(left, right, 0.5, page=1, k=3)

    assert [book.book_id for book in taken] == [9, 1, 2]
