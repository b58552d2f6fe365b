"""Folds raw subject strings of libraries, shops and readers to a usable vocabulary.

A raw string becomes a key (`fold_key`); keys that differ by a plural or a word such as "stories" become one
(`merge_variants`); the most frequent are kept (`choose_names`).
"""

import re
from collections import defaultdict
from collections.abc import Mapping

from catalog.cleaning import subject_key
from catalog.importing.subject_words import read_subject_words

MAX_SUBJECTS = 1_000
LONGEST_KEY = 45
"""Longer headings describe one book, not many."""

_WORDS = re.compile(r"(?=.*[a-z]{3})[a-z0-9 ]+")
_REJECTED = re.compile(
    r"character\)|\(imaginary|personaje|gestalt|^[a-z_]+:|\d{4}-(?!1918|1945)|^\d+$|collectionid|lexile"
    r"|reading level|^translat|^traduc|language materials|manuscript|fst0|ocolc|grade$"
    r"|award|medal|winner|\w languages?( books| readers)?$",
    re.I,
)
_SUBHEADINGS = re.compile(r"\s+--?\s+|--|\s*/\s*|,(?=\S)|\s*>\s*")
_ABOUT = re.compile(r"\s+in (?:fiction|literature|art|mass media|motion pictures)$|,? in literature$")
_FORMS = frozenset(
    {
        "", "fiction", "juvenile fiction", "juvenile literature", "juvenile works", "general",
        "literature", "etc", "drama", "poetry", "biography", "history", "stories",
        "history and criticism", "criticism and interpretation", "comic books strips", "influence",
        "study and teaching", "childrens fiction", "childrens nonfiction", "young adult fiction",
        "books and reading", "childrens", "young adult", "literature and fiction",
        "social life and customs", "description and travel", "politics and government",
        "personal narratives", "biography and autobiography", "social aspects", "collections",
    }
)  # fmt: skip
"""Sub-headings that tell the form of a book; what stands beside them tells its subject."""
_BEFORE = re.compile(
    r"^(?:american|english|british|french|canadian|ya|young adult|juvenile|childrens"
    r"|comics and graphic novels) "
)
_AFTER = re.compile(
    r" (?:american|english|(?:dramatic|poetic|fictional) works by one author|single author|etc|lit)$"
)
"""Words beside a known subject that make no other subject of it."""
_SUFFIXES = (
    "fiction",
    "stories",
    "novels",
    "books",
    "tales",
    "general",
    "literature",
    "novel",
    "story",
    "lit",
)


def fold_key(raw: str) -> str | None:
    """Key of a raw subject string; None if it tells nothing about what a book has in common with others."""
    if _REJECTED.search(raw):
        return None
    words, whole = read_subject_words(), subject_key(raw)
    if known := _find_name(whole):
        return known
    key = _canonical(subject_key(_ABOUT.sub("", _topic(raw).casefold())))
    if key in words.noise or whole in words.noise or len(key) > LONGEST_KEY or not _WORDS.fullmatch(key):
        return None
    return key


def merge_variants(counts: Mapping[str, int]) -> dict[str, str]:
    """For each key that is another form of a more frequent or a named one, that one."""
    words = read_subject_words()
    names = words.names
    by_stem: dict[str, list[str]] = defaultdict(list)
    for key in counts:
        # "Generals" is no form of "General".
        if names.get(key) not in words.generic:
            by_stem[find_stem(key)].append(key)
    merged: dict[str, str] = {}
    for keys in by_stem.values():
        best = min(keys, key=lambda key: (key not in names, -counts[key], key))
        merged |= {key: best for key in keys if key != best}
    return merged


def find_stem(key: str) -> str:
    """What the keys that are forms of one another share."""
    words = key.split()
    if len(words) > 1 and words[-1] in _SUFFIXES and key not in read_subject_words().names:
        words.pop()
    return " ".join([*words[:-1], _singular(words[-1])])


def choose_names(
    counts: Mapping[str, int], spellings: Mapping[str, str], *, known: Mapping[str, str], n_books: int
) -> dict[str, str]:
    """Name of each key worth keeping: those of most books, at most MAX_SUBJECTS; none of one book of many.

    A key keeps the name that the catalog knows it by; `spellings` has the commonest raw form of each.
    """
    names = read_subject_words().names
    fewest = 1 + n_books // 5_000
    kept = sorted((key for key in counts if counts[key] >= fewest), key=lambda key: (-counts[key], key))
    return {key: known.get(key) or names.get(key) or _label(spellings[key]) for key in kept[:MAX_SUBJECTS]}


def _topic(raw: str) -> str:
    """The part of a heading that tells the subject, its words in the order spoken."""
    parts = [part for part in _SUBHEADINGS.split(raw) if part and subject_key(part) not in _FORMS]
    if not parts:
        return ""
    # Shops and readers go from the wide to the narrow, libraries put the topic first.
    topic = parts[0] if "--" in raw else parts[-1]
    pieces = [piece for piece in topic.split(", ") if subject_key(piece) not in _FORMS]
    if not topic.casefold().startswith(("fiction,", "juvenile fiction,")):
        return " ".join(pieces)
    known = [piece for piece in pieces if subject_key(piece) in read_subject_words().names]
    return known[-1] if known else " ".join(reversed(pieces))


def _canonical(key: str) -> str:
    return _find_name(key) or key


def _find_name(key: str) -> str | None:
    """Key of the name that a key means, alone or with words beside it; as few as can be are left out."""
    names, without = read_subject_words().names, _AFTER.sub("", key)
    for form in (key, without, _BEFORE.sub("", key), _BEFORE.sub("", without)):
        if form in names:
            return subject_key(names[form])
    return None


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("s") and len(word) > 3 and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _label(raw: str) -> str:
    spelling = (
        raw if " " in raw or any(c.isupper() for c in raw[1:]) else raw.replace("-", " ").replace("_", " ")
    )
    return spelling[:1].upper() + spelling[1:]
