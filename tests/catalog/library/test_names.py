"""Names are those of one author whatever their order, initials and spelling, and not those of relatives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.library.names import SECOND, compare_authors, compare_names, read_name


def compare(ours: str, theirs: str) -> float:
    return compare_names(read_name(ours), read_name(theirs))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("J.R.R. Tolkien", "Tolkien, J. R. R."),
        ("JRR Tolkien", "John Ronald Reuel Tolkien"),
        ("J.R.R. Tolkein", "J. R. R. Tolkien"),
        ("Clive Staples Lewis", "C.S. Lewis"),
        ("Robert Heinlein", "Robert A. Heinlein"),
        ("Walter M. Miller, Jr.", "Walter M. Miller"),
        ("Doyle, Arthur Conan, Sir", "A. Conan Doyle"),
        ("Ursula K. LeGuin", "Ursula K. Le Guin"),
        ("Gabriel Garcia Marquez", "García Márquez, Gabriel"),
        ("Fjodor Dostojewski", "Fyodor Dostoevsky"),
        ("Lev Tolstoy", "Leo Tolstoy"),
        ("Soseki Natsume", "Natsume Sōseki"),
        ("Jo Nesbo", "Jo Nesbø"),
        ("Balzac", "Honoré de Balzac"),
    ],
)
def test_names_of_one_author(ours: str, theirs: str) -> None:
    assert compare(ours, theirs) >= 0.9


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Alexandre Dumas fils", "Alexandre Dumas"),
        ("Anne Brontë", "Emily Brontë"),
        ("Brian Herbert", "Frank Herbert"),
        ("Philip Roth", "Joseph Roth"),
        ("Stephen King", "Stephen Hawking"),
        ("Michael Crichton", "Michael Chabon"),
        ("Unknown", "Anonymous"),
        ("", "Homer"),
    ],
)
def test_names_of_two_authors(ours: str, theirs: str) -> None:
    assert compare(ours, theirs) == 0


def test_one_of_several_authors_is_enough_but_the_first_tells_more() -> None:
    pratchett, gaiman, fry = map(read_name, ("Terry Pratchett", "Neil Gaiman", "Stephen Fry"))

    assert compare_authors([gaiman, fry], [pratchett, gaiman]) == 1
    assert compare_authors([fry, gaiman], [pratchett, gaiman]) == SECOND
    assert compare_authors([fry], [pratchett, gaiman]) == 0


def test_a_book_without_an_author_is_that_of_an_unknown_one() -> None:
    unknown, heaney = read_name("Unknown"), read_name("Seamus Heaney")

    assert compare_authors([unknown, heaney], []) > 0.9
    assert compare_authors([], []) > 0.9
    assert compare_authors([heaney], []) == 0
    assert compare_authors([], [heaney]) == 0


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_names_are_compared_the_same_both_ways(ours: str, theirs: str) -> None:
    assert compare(ours, theirs) == compare(theirs, ours)
    assert 0 <= compare(ours, theirs) <= 1
