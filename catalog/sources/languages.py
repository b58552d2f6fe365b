"""Codes of languages, however a source writes them."""

import re
from functools import cache

from catalog.word_lists import read_word_lists

_CODE = re.compile(r"[a-z]{2,3}(?![a-z])")


def parse_language(text: str) -> str | None:
    """The ISO 639-2/B code of a code such as "en", "deu" or "en-US"; None for what is none."""
    found = _CODE.match(text.strip().casefold())
    if not found:
        return None
    code = found[0]
    return _read_codes().get(code, code if len(code) == 3 else None)


@cache
def _read_codes() -> dict[str, str]:
    languages = read_word_lists("catalog.sources", "languages.txt")
    return {other: code for code, others in languages.items() for other in others}
