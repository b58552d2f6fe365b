from hypothesis import given
from hypothesis import strategies as st

from foundation.diversity import Traits, diversify, find_likeness, read_traits

NAMES = st.frozensets(st.sampled_from("ABCDEF"), max_size=3)
BOOKS = st.lists(st.builds(Traits, NAMES, NAMES), max_size=25)
SPACE, SOUP = read_traits("A", ["Space"]), read_traits("B", ["Soup"])


@given(BOOKS, st.floats(0, 1))
def test_no_book_is_lost_or_doubled(books: list[Traits], strength: float) -> None:
    assert sorted(diversify(books, strength=strength)) == list(range(len(books)))


@given(BOOKS)
def test_without_strength_the_ranking_stays(books: list[Traits]) -> None:
    assert diversify(books, strength=0) == list(range(len(books)))


@given(BOOKS.filter(len), st.floats(0, 1))
def test_the_best_book_stays_first(books: list[Traits], strength: float) -> None:
    assert diversify(books, strength=strength)[0] == 0


@given(st.builds(Traits, NAMES, NAMES), st.builds(Traits, NAMES, NAMES))
def test_likeness_is_mutual_and_a_share(left: Traits, right: Traits) -> None:
    assert find_likeness(left, right) == find_likeness(right, left)
    assert 0 <= find_likeness(left, right) <= 1


def test_books_unlike_the_first_come_forward() -> None:
    assert diversify([SPACE, SPACE, SPACE, SOUP, SOUP], strength=0.9)[:2] == [0, 3]


def test_with_little_strength_a_book_moves_little() -> None:
    assert diversify([SPACE, SPACE, SOUP, SOUP], strength=0.3) == [0, 2, 1, 3]


@given(BOOKS, st.floats(0, 0.99))
def test_books_without_anything_in_common_keep_their_order(books: list[Traits], strength: float) -> None:
    strangers = [read_traits([place], [place]) for place in range(len(books))]

    assert diversify(strangers, strength=strength) == list(range(len(books)))
