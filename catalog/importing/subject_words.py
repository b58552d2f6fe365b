"""The words that subject folding knows, from the data files beside it."""

from dataclasses import dataclass
from functools import cache

from catalog.cleaning import subject_key
from catalog.word_lists import WordLists, read_word_lists


@dataclass(frozen=True)
class SubjectWords:
    """Names of subjects, and what is none; all keys are as `subject_key` makes them."""

    names: dict[str, str]
    """Name of each key that is a synonym or a name itself."""
    generic: frozenset[str]
    """Names that say nothing of what a book is about: kept for look-ups, nobody's main subject."""
    noise: frozenset[str]
    """Keys that tell something of a copy, a list or a reader, not of the book."""


def read_synonyms() -> WordLists:
    """Each name with the keys that mean it."""
    return read_word_lists("catalog.importing", "subject_synonyms.txt")


@cache
def read_subject_words() -> SubjectWords:
    """All lists; the files are read once."""
    synonyms, lists = read_synonyms(), read_word_lists("catalog.importing", "subject_words.txt")
    names = {variant: name for name, variants in synonyms.items() for variant in variants}
    names |= {subject_key(name): name for name in synonyms}
    return SubjectWords(names, frozenset(lists["generic"]), frozenset(lists["noise"]))
