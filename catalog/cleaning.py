"""Pure functions from the raw texts of a source to clean values."""

import html
import re
from functools import lru_cache

from foundation.text import strip_accents

AGE_GROUPS = ((5, "5-12"), (13, "13-17"), (18, "18-24"), (25, "25-34"), (35, "35-44"), (45, "45-54"),
              (55, "55-64"), (65, "65-100"))  # fmt: skip
"""First age of each group, ascending."""
OLDEST_AGE = 100
NOBODY = frozenset({"unknown", "author unknown", "unknown author", "unknown unknown"})
"""Keys of what catalogers write where they know no author."""
HEADING_LENGTH = 40
EARLIEST_YEAR = -3000
"""Nothing that a library lends is older than writing."""

# A UTF-8 letter twice read as Latin-1, its bytes 0x80-0x9F lost to a question mark: ü is "Ã?Â¼".
_LOST_LETTER = re.compile(r"(?<=[^\W\d_])Ã\?Â([\xa0-\xbf])|Ã\?Â([\xa0-\xbf])(?=[a-zà-ÿ])")
# Only ß has its last byte in the lost range and follows a small letter; the others there are capitals.
_LOST_SHARP_S = re.compile(r"(?<=[a-zà-ÿ])Ã\?Â\?")
_PUNCTUATION = {0xA1, 0xAB, 0xBB, 0xBF}
"""¡ « » ¿ read like á ë û ÿ after the damage."""
_PARENTHESES = re.compile(r"\s*\([^()]*(?:\([^()]*\)[^()]*)*\)?\s*$")
_VOLUME = re.compile(r"\((?:book|volume|vol|part|number|no|band|tome|bk|pt)?\W*\d+\)?\s*$", re.I)
_GENRE_SUBTITLE = re.compile(
    r"\s*[:;.,-]\s*(?:an?\s+)?(?:\w+\s+)?(?:novel|novella|roman|memoir|mystery|thriller|romance)s?\s*\.?\s*$",
    re.I,
)
_HEADING = re.compile(r"[^:;(\[]*\w[^:;(\[]*")
_HEADING_VOLUME = re.compile(r",?\s(?:#|(?:vol(?:ume)?|part|book|no)\b\.?\s*)(?:\d+|[ivx]+)\W*$", re.I)
_LATE_ARTICLE = re.compile(r",\s*(?:the|an?|der|die|das|le|la|les|el|los|las|il)\s*$", re.I)
_ARTICLE = re.compile(r"^(?:the|an?|der|die|das|le|la|les|el|los|las|il)\s+(?=\w)")
_NOT_WORD = re.compile(r"[\W_]+")
_POSSESSIVE = re.compile(r"(\w)(?:'s| s)\b|(\w)s'(?=\W|$)")
_AGE = re.compile(r"[0-9]{1,3}")
_PAGES = re.compile(r"[0-9]{1,4}")
_SPACES = re.compile(r"\s+")


def repair_text(text: str) -> str:
    """Text without HTML entities, doubled spaces, and broken UTF-8 where what it was is certain."""
    if "&" in text:
        text = _unescape(text)
    if not text.isascii():
        text = _repair_utf8(text)
    return _SPACES.sub(" ", text).strip()


def title_key(title: str) -> str:
    """What editions of one work share: no case, accents, article, series in parentheses or ": a novel".

    A number alone in parentheses stays: it tells two volumes of one title apart.
    """
    without_series = title if _VOLUME.search(title) else _PARENTHESES.sub("", title) or title
    words = _fold(_GENRE_SUBTITLE.sub("", without_series) or without_series)
    return _ARTICLE.sub("", words) or _fold(title)


def title_heading(title: str) -> str:
    """The title before its subtitle or series as one word, cut: where a look-up by title begins."""
    found = _HEADING.search(title)
    heading = found[0] if found else title
    words = _fold(_LATE_ARTICLE.sub("", _HEADING_VOLUME.sub("", heading) or heading))
    return (_ARTICLE.sub("", words) or words).replace(" ", "")[:HEADING_LENGTH]


@lru_cache(maxsize=65_536)  # an author's name comes with each of their editions
def author_key(name: str) -> str:
    """A name in the order spoken, no case or accents, initials joined: "Rowling, J. K." is "jk rowling"."""
    if name.count(",") == 1:
        last, first = name.split(",")
        name = f"{first} {last}"
    joined: list[str] = []
    after_initial = False
    for word in _fold(name).split():
        if after_initial and len(word) == 1:
            joined[-1] += word
        else:
            joined.append(word)
        after_initial = len(word) == 1
    return " ".join(joined)


def is_somebody(name: str) -> bool:
    """Whether an author's name names anybody."""
    return author_key(name) not in ("", *NOBODY)


def work_key(title: str, first_author: str) -> str:
    """Equal for editions of one work: the title's key, the author's last name and first initial."""
    author = author_key(first_author)
    return f"{title_key(title)}|{author.rpartition(' ')[2]}|{author[:1]}"


def subject_key(text: str) -> str:
    """Words of a subject: no case, accents or punctuation; "children's" and "children-s" are "childrens"."""
    # The order matters: an accent alone becomes a space, which may then stand before the s of a possessive.
    folded = strip_accents(text.replace("’", "'").casefold()).replace("&", " and ").replace("-", " ")
    return _words(_POSSESSIVE.sub(r"\1\2s", folded))


def parse_age_group(age: str) -> str | None:
    """The group of an age in years; None for text and for ages below 5 or above 100, which people make up."""
    if not _AGE.fullmatch(age) or int(age) > OLDEST_AGE:
        return None
    return next((name for first, name in reversed(AGE_GROUPS) if int(age) >= first), None)


def parse_year(text: str, *, latest: int = 2999) -> int | None:
    """The first four-digit year in a text; None if there is none or it lies after `latest`."""
    found = re.search(r"(?<!\d)[12]\d{3}(?!\d)", text)
    return check_year(int(found[0]), latest=latest) if found else None


def parse_pages(text: str) -> int | None:
    """A number of pages; None for text, and for what no book has."""
    return int(text) if _PAGES.fullmatch(text) and int(text) else None


def check_year(year: int | None, *, latest: int) -> int | None:
    """The year itself, or None if no book can be of it (there was no year 0)."""
    return year if year and EARLIEST_YEAR <= year <= latest else None


def _unescape(text: str) -> str:
    try:
        return html.unescape(text)
    except ValueError:  # a numbered letter with more digits than Python reads
        return text


def _repair_utf8(text: str) -> str:
    try:
        # Random Latin-1 is hardly ever valid UTF-8, so text that is was UTF-8 once.
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        pass
    return _LOST_SHARP_S.sub("ß", _LOST_LETTER.sub(_restore_letter, text)) if "Ã?Â" in text else text


def _restore_letter(found: re.Match[str]) -> str:
    last_byte = ord(found[1] or found[2])
    at_word_start = found[1] is None
    return found[0] if at_word_start and last_byte in _PUNCTUATION else bytes((0xC3, last_byte)).decode()


def _fold(text: str) -> str:
    return _words(strip_accents(text).casefold().replace("'", "").replace("&", " and "))


def _words(text: str) -> str:
    """The words alone, a space between two."""
    return _NOT_WORD.sub(" ", text).strip()
