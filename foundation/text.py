"""Words and text folding: what spellings of one word have in common."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import groupby
from typing import Final

WORD: Final = re.compile(r"[^\W_]+")
INITIALS: Final = re.compile(r"\b(?:[^\W\d_]\.\s?){2,}")
"""Two letters or more with a full stop each: J.R.R. Tolkien, J. K. Rowling."""
APOSTROPHES: Final = str.maketrans("", "", "'’‘")


STOP_WORDS: Final = frozenset((
    "about", "after", "all", "also", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can",
    "could", "did", "do", "does", "for", "from", "had", "has", "have", "he", "her", "him", "his", "how",
    "if", "in", "into", "is", "it", "its", "me", "more", "my", "no", "not", "of", "on", "one", "or", "our",
    "out", "over", "she", "so", "some", "than", "that", "the", "their", "them", "then", "there", "they",
    "this", "to", "too", "up", "us", "was", "we", "were", "what", "when", "where", "which", "who", "why",
    "will", "with", "would", "you", "your",
))  # fmt: skip
"""Words that tell nothing of what a text is about: half of a sentence, and all of many a short title."""


def split_words(text: str) -> list[str]:
    """Words in lower case, without accents and apostrophes: the same for a title as for a query.

    Initials are one word, as readers type them: "jrr tolkien".
    """
    joined = INITIALS.sub(lambda initials: re.sub(r"[.\s]", "", initials[0]) + " ", text)
    return WORD.findall(strip_accents(joined.translate(APOSTROPHES)).casefold())


def join_letters(words: Sequence[str]) -> list[str]:
    """The words, single letters that follow each other as one: "c s lewis" has the initials of "cs lewis"."""
    groups = groupby(words, key=lambda word: len(word) == 1 and word.isalpha())
    joined = (["".join(group)] if are_letters else group for are_letters, group in groups)
    return [word for group in joined for word in group]


def strip_accents(text: str) -> str:
    """The text with compatibility forms resolved (NFKD) and without accents: "Brontë" is "Bronte"."""
    if text.isascii():
        return text
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))


def to_ascii(text: str) -> str:
    """The same, without what ASCII has no letter for."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
