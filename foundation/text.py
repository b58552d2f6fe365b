"""Words and text folding: what spellings of one word have in common."""

import re
import unicodedata
from typing import Final

WORD: Final = re.compile(r"[^\W_]+")
INITIALS: Final = re.compile(r"\b(?:[^\W\d_]\.\s?){2,}")
"""Two letters or more with a full stop each: J.R.R. Tolkien, J. K. Rowling."""
APOSTROPHES: Final = str.maketrans("", "", "'’‘")


def split_words(text: str) -> list[str]:
    """Words in lower case, without accents and apostrophes: the same for a title as for a query.

    Initials are one word, as readers type them: "jrr tolkien".
    """
    joined = INITIALS.sub(lambda initials: re.sub(r"[.\s]", "", initials[0]) + " ", text)
    return WORD.findall(strip_accents(joined.translate(APOSTROPHES)).casefold())


def strip_accents(text: str) -> str:
    """The text with compatibility forms resolved (NFKD) and without accents: "Brontë" is "Bronte"."""
    if text.isascii():
        return text
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))


def to_ascii(text: str) -> str:
    """The same, without what ASCII has no letter for."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
