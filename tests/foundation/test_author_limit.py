from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from foundation.author_limit import limit_authors, lower_to_fall

RANKINGS = st.lists(st.frozensets(st.sampled_from("ABCDEFGH"), max_size=2), max_size=60)


def breaks_rule(authors: list[frozenset[str]], most: int = 2, window: int = 10) -> bool:
    windows = (authors[start : start + window] for start in range(len(authors)))
    return any(count > most for books in windows for count in Counter(a for b in books for a in b).values())


def test_a_ranking_that_keeps_the_rule_stays_as_it_is() -> None:
    authors = [{"A"}, {"A"}, *({letter} for letter in "BCDEFGHI"), {"A"}]

    assert limit_authors(authors, 11) == list(range(11))


def test_a_third_book_of_an_author_waits_until_ten_books_lie_between() -> None:
    authors = [{"A"}, {"A"}, {"A"}, *({letter} for letter in "BCDEFGHIJKLM")]

    assert limit_authors(authors, 12) == [0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 2, 11]


def test_books_without_an_author_are_never_held_back() -> None:
    assert limit_authors([()] * 12, 12) == list(range(12))


def test_every_co_author_counts() -> None:
    authors = [{"A", "B"}, {"A", "C"}, {"A"}, {"D"}]

    assert limit_authors(authors, 3) == [0, 1, 3]


def test_a_list_is_never_shorter_for_want_of_authors() -> None:
    assert limit_authors([{"A"}] * 5, 4) == [0, 1, 2, 3]


def test_no_more_of_a_ranking_is_read_than_the_list_takes() -> None:
    ranking = iter([{"A"}, {"A"}, {"A"}, {"B"}, {"C"}])

    limit_authors(ranking, 3)

    assert list(ranking) == [{"C"}]


@given(RANKINGS, st.integers(0, 40))
def test_a_limited_list_holds_each_book_once_and_is_as_long_as_can_be(
    authors: list[frozenset[str]], k: int
) -> None:
    chosen = limit_authors(authors, k)

    assert len(chosen) == len(set(chosen)) == min(k, len(authors))
    assert set(chosen) <= set(range(len(authors)))


@given(RANKINGS, st.integers(0, 40))
def test_the_rule_is_broken_only_where_no_book_that_is_left_fits(
    authors: list[frozenset[str]], k: int
) -> None:
    chosen = limit_authors(authors, k)

    for place in range(len(chosen)):
        head = [authors[position] for position in chosen[: place + 1]]
        if breaks_rule(head):
            left = set(range(len(authors))) - set(chosen[:place])
            assert all(breaks_rule([*head[:-1][-9:], authors[position]]) for position in left)
            return


@given(st.lists(st.floats(-1, 1), max_size=20))
def test_lowered_scores_never_increase_and_never_exceed_the_scores(scores: list[float]) -> None:
    lowered = lower_to_fall(scores)

    assert lowered == sorted(lowered, reverse=True)
    assert all(low <= score for low, score in zip(lowered, scores, strict=True))
