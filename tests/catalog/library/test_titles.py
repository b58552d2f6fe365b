"""Titles are those of one book apart from what exports add and readers mistype, and for no other reason."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalog.cleaning import HEADING_LENGTH, title_heading
from catalog.library.matching import SURE
from catalog.library.titles import PART, SAME, compare_titles, read_title

TEXTS = st.text(max_size=60) | st.from_regex(r"[A-Za-z0-9 (),:;#.\-]{0,60}", fullmatch=True)


def compare(ours: str, theirs: str) -> float:
    return compare_titles(read_title(ours), read_title(theirs))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Dune (Dune Chronicles, #1)", "Dune"),
        ("The Two Towers", "Two Towers, The"),
        ("1984", "Nineteen Eighty-Four"),
        ("20,000 Leagues Under the Sea", "Twenty Thousand Leagues under the Sea"),
        ("Capital in the 21st Century", "Capital in the Twenty-First Century"),
        ("Mobydick; or, The Whale", "Moby-Dick or, the whale"),
        ("The Sandman, Volume 1: Preludes & Nocturnes", "The Sandman, Vol. 1: Preludes and Nocturnes"),
        ("The Doll's House (The Sandman, #2)", "The Sandman, Vol. 2: The Doll's House"),
        ("Perfume: The Story of a Murderer", "Perfume"),
        ("The Selfish Gene: 30th Anniversary Edition", "The Selfish Gene"),
        ("The Great Hunt: Book Two of The Wheel of Time", "The Great Hunt"),
        ("The Final Empire (Mistborn, #1)", "Mistborn: The Final Empire"),
        ("Crime and Punishement", "Crime and Punishment"),
        ("Pinocchio", "The Adventures of Pinocchio"),
        ("Smilla’s Sense of Snøw", "Smilla's Sense of Snow"),
    ],
)
def test_titles_of_one_book(ours: str, theirs: str) -> None:
    assert compare(ours, theirs) >= SURE


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Henry IV, Part 2", "Henry IV, Part 1"),
        ("Henry IV", "Henry VI"),
        ("Persepolis 2", "Persepolis"),
        ("1st to Die", "2nd to Die"),
        ("Fullmetal Alchemist, Vol. 2", "Fullmetal Alchemist"),
        ("Dune Messiah", "Dune"),
        ("Dune", "Dawn"),
        ("Emma", "Emmas"),
        ("Owlsight", "Owlknight"),
        ("Sapiens: Summary and Analysis", "Sapiens"),
        ("Dune: The Graphic Novel, Book 1", "Dune"),
        ("The Hunger Games Trilogy (The Hunger Games, #1-3)", "The Hunger Games"),
        ("The Lord of the Rings: The Two Towers", "The Lord of the Rings"),
        ("Percy Jackson: The Lightning Thief", "Percy Jackson: The Titan's Curse"),
        ("The Metamorphosis and Other Stories", "The Metamorphosis"),
    ],
)
def test_titles_of_two_books(ours: str, theirs: str) -> None:
    assert compare(ours, theirs) < SURE


@given(TEXTS, TEXTS)
@example("(Dune, #1.2.3)", "Dune (Dune, #1.2.3)")
@example("one" + " thousand" * 60, "((((((((((")
@example("#", "[]")
@example("Book", ": or,")
def test_any_texts_are_compared_the_same_both_ways(ours: str, theirs: str) -> None:
    assert compare(ours, theirs) == compare(theirs, ours)
    assert 0 <= compare(ours, theirs) <= SAME
    assert compare(ours, ours) in (SAME, PART) or not read_title(ours).main


@given(TEXTS)
@example("No. 1")
@example(", The")
def test_a_heading_is_a_short_word_that_most_titles_have(title: str) -> None:
    heading = title_heading(title)

    assert len(heading) <= HEADING_LENGTH
    assert " " not in heading
    assert title_heading(f"{title} (Dune, #1)") == heading or not heading
