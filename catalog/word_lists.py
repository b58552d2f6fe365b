"""Reads word lists, which are package data: `name: word; word`, continued on indented lines."""

import re
from functools import cache
from importlib.resources import files

WordLists = dict[str, tuple[str, ...]]


@cache
def read_word_lists(package: str, file: str) -> WordLists:
    """Words by name, in the order of the file; lines that begin with # are comments."""
    text = (files(package) / file).read_text(encoding="utf-8")
    entries = re.sub(r"\n[ \t]+", " ", re.sub(r"^#.*", "", text, flags=re.MULTILINE))
    return dict(_read_entry(entry) for entry in entries.splitlines() if entry)


def _read_entry(entry: str) -> tuple[str, tuple[str, ...]]:
    name, _, words = entry.partition(":")
    return name, tuple(word.strip() for word in words.split(";") if word.strip())
