"""Text folding: what spellings of one word have in common."""

import unicodedata


def strip_accents(text: str) -> str:
    """The text with compatibility forms resolved (NFKD) and without accents: "Brontë" is "Bronte"."""
    if text.isascii():
        return text
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))


def to_ascii(text: str) -> str:
    """The same, without what ASCII has no letter for."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
