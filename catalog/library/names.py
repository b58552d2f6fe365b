"""Tells how surely two names are those of one author."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from rapidfuzz.distance import OSA, JaroWinkler

from catalog.library.words import fold_letters

Name = tuple[str, ...]

SAME, SHORTER, SPELLING, SURNAME = 1.0, 0.97, 0.93, 0.9
"""How sure a name is: as it is, but for initials and second names, its spelling, all names but the last."""
SECOND: Final = 0.97
"""The same of a book whose first author on one side is none of those on the other."""

_TITLES: Final = frozenset({"sir", "dr", "dame", "jr", "sr", "phd", "md", "saint", "pere"})
_NOBODY: Final = frozenset({"unknown", "anonymous", "anonym", "various", "authors"})
_NO_WORD: Final = re.compile(r"[\W_]+")
_INITIALS: Final = re.compile(r"[bcdfghjklmnpqrstvwxz]{2,3}")
_TWICE: Final = re.compile(r"(.)\1")
_SPELLINGS: Final = (
    ("tsch", "ch"), ("tch", "ch"), ("ph", "f"), ("ck", "k"), ("x", "ks"), ("w", "v"), ("j", "i"), ("y", "i"),
    ("ie", "e"), ("oe", "o"), ("ae", "a"), ("ue", "u"),
)  # fmt: skip
"""Of other alphabets and of letters that some keyboards lack."""
_ALIKE: Final = 0.82
"""How alike given names are that are spellings of one: Lev and Leo, not Anne and Emily."""


@lru_cache(maxsize=65_536)
def read_name(text: str) -> Name:
    """Words of a name in the order spoken, without case, accents and titles; none of "Unknown"."""
    last, *others = (_split(part) for part in fold_letters(text).split(","))
    words = [*(word for part in others for word in part), *last]
    return () if _NOBODY.intersection(words) else tuple(words)


def compare_authors(ours: Sequence[Name], theirs: Sequence[Name]) -> float:
    """How surely one book is meant whose authors are listed so, 0 to 1."""
    if not theirs:
        return 0.0 if ours and all(ours) else SPELLING
    sure = [max(compare_names(our, their) for their in theirs) for our in ours]
    return max(sure, default=0.0) * (1 if any(sure[:1]) else SECOND)


@lru_cache(maxsize=65_536)
def compare_names(ours: Name, theirs: Name) -> float:
    """How surely two names are those of one person, 0 to 1."""
    if not (ours and theirs):
        return 0.0
    if sorted(ours) == sorted(theirs) or "".join(ours) == "".join(theirs):
        return SAME
    shorter, longer = sorted((ours, theirs), key=lambda name: (len(name), name))
    if len(shorter) == 1:
        return SURNAME if shorter[0] == longer[-1] else 0.0
    if _is_within(shorter, longer) or _is_within(_split_initials(shorter), _split_initials(longer)):
        return SHORTER
    is_given = _is_alike(shorter[0], longer[0])
    return SPELLING if is_given and _is_spelling(shorter[-1], longer[-1]) else 0.0


def _split(text: str) -> list[str]:
    return [word for word in _NO_WORD.sub(" ", text).split() if word not in _TITLES]


def _split_initials(name: Name) -> Name:
    """ "jrr tolkien" as "j r r tolkien"."""
    *given, last = name
    return (*(letter for word in given for letter in (word if _INITIALS.fullmatch(word) else [word])), last)


def _is_within(shorter: Name, longer: Name) -> bool:
    """Whether the words of one, or their initials, are among those of the other in order; the last whole."""
    if "fils" in longer or shorter[-1] not in longer:
        return False
    rest = iter(longer)
    return all(any(_is_initial(our, their) for their in rest) for our in shorter)


def _is_initial(ours: str, theirs: str) -> bool:
    return ours == theirs or (1 in (len(ours), len(theirs)) and ours[0] == theirs[0])


def _is_alike(ours: str, theirs: str) -> bool:
    """Whether given names may be one."""
    if _is_initial(ours, theirs):
        return True
    return JaroWinkler.similarity(_fold_spelling(ours), _fold_spelling(theirs)) >= _ALIKE


def _is_spelling(ours: str, theirs: str) -> bool:
    """Whether surnames may be one."""
    ours, theirs = _fold_spelling(ours), _fold_spelling(theirs)
    most = min(2, min(len(ours), len(theirs)) // 4)
    return OSA.distance(ours, theirs, score_cutoff=most) <= most


def _fold_spelling(name: str) -> str:
    for written, folded in _SPELLINGS:
        name = name.replace(written, folded)
    return _TWICE.sub(r"\1", name)
