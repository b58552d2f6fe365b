"""Words of titles and names in one spelling, and what typing makes of them."""

import re
from typing import Final

from rapidfuzz.distance import OSA

from catalog.word_lists import read_word_lists
from foundation.text import strip_accents

Words = tuple[str, ...]

LISTS: Final = read_word_lists("catalog.library", "title_words.txt")
ARTICLES: Final = frozenset(LISTS["articles"])
_ROMAN: Final = {numeral: str(number) for number, numeral in enumerate(LISTS["roman"], start=1)}
_NUMBERS: Final = {
    **{word: number for name in ("numbers", "ordinals") for number, word in enumerate(LISTS[name], start=1)},
    **{word: 10 * number for number, word in enumerate(LISTS["tens"], start=2)},
}
_TIMES: Final = {"hundred": 100, "thousand": 1000}

_LETTERS: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)
"""Letters that are no others with an accent."""
_IN_NUMBER: Final = re.compile(r"(?<=\d),(?=\d{3})|(?<=\d)(?:st|nd|rd|th)\b", re.IGNORECASE)
_IN_INITIALS: Final = re.compile(r"(?<=\b\w)\.(?=\w\b)")
_APOSTROPHE: Final = re.compile(r"['’‘`]")
_NO_WORD: Final = re.compile(r"[\W_]+")


def fold_letters(text: str) -> str:
    """The text without case and accents, in the letters of a plain keyboard as far as there are any."""
    return strip_accents(text).casefold().translate(_LETTERS)


def split_words(text: str) -> Words:
    """Words without case, accents and an article in front; numbers in digits."""
    text = _IN_NUMBER.sub("", _IN_INITIALS.sub("", _APOSTROPHE.sub("", text)))
    words = _NO_WORD.sub(" ", fold_letters(text).replace("&", " and ")).split()
    if len(words) > 1 and words[0] in ARTICLES:
        words = words[1:]
    if len(words) > 1:
        words[-1] = _ROMAN.get(words[-1], words[-1])
    return tuple(_write_numbers(words))


def read_number(text: str) -> int | None:
    """A number of at most four digits, in Roman ones or in words; None for what is none."""
    text = text.casefold()
    digits = _ROMAN.get(text, text)
    return int(digits) if digits.isdecimal() and len(digits) < 5 else _NUMBERS.get(text)


def differ_by_typing(ours: Words, theirs: Words) -> bool:
    """Whether one title may be the other, with some of its words mistyped."""
    if len(ours) != len(theirs) or sum(map(len, ours)) < 6:
        return False
    wrong = [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]]
    return len(wrong) <= max(1, len(ours) // 3) and all(_is_mistyped(*pair) for pair in wrong)


def _is_mistyped(ours: str, theirs: str) -> bool:
    """Whether one word is the other with a letter wrong, or two of a long one; never with digits in it."""
    shortest = min(len(ours), len(theirs))
    if shortest < 4 or not (ours.isalpha() and theirs.isalpha()):
        return False
    most = 1 if shortest < 10 else 2
    return OSA.distance(ours, theirs, score_cutoff=most) <= most


def _write_numbers(words: list[str]) -> list[str]:
    """Number words as digits: "twenty thousand" is 20000, "nineteen eighty four" is 1984, "first" is 1."""
    written: list[str] = []
    is_open = False
    for word in words:
        value, times = _NUMBERS.get(word), _TIMES.get(word, 0)
        before = int(written[-1]) if is_open else 0
        is_open = value is not None or 0 < before < times
        if 0 < before < times:
            written[-1] = str(before * times)
        elif value and before >= 20 and before % 10 == 0 and value < 10:
            written[-1] = str(before + value)
        elif value and 10 < before < 22 and value > 9:
            written[-1] = str(before * 100 + value)
        else:
            written.append(word if value is None else str(value))
    return written
