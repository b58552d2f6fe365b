"""Tells which language a book is in: as the catalog says, else as the ISBNs of its editions do."""

from collections import Counter, defaultdict
from typing import Final

import numpy as np

from evidence.languages import number_language
from foundation.arrays import I32, I64, find_rows
from pipeline.records import Export

GROUPS: Final = {
    "eng": "9780 9781 978976 9798",
    "fre": "9782 97910",
    "ger": "9783",
    "jpn": "9784",
    "rus": "9785",
    "chi": "9787 978957 978986",
    "cze": "97880",
    "nor": "97882",
    "pol": "97883",
    "spa": "97884 978607 978612 978628 978631 978950 978956 978958 978959 978968 978970 978980 978987 97913",
    "por": "97885 97865 978972 978989",
    "dan": "97887",
    "ita": "97888 97912",
    "kor": "97889 97911",
    "dut": "97890 97894",
    "swe": "97891",
    "fin": "978951 978952",
    "gre": "978618 978960",
    "hun": "978615 978963",
    "rum": "978606 978973",
    "tur": "978605 978625 978975",
    "per": "978600 978622 978964",
    "heb": "978965",
    "hrv": "978953",
    "bul": "978619 978954",
    "slv": "978961",
    "ukr": "978617 978966",
    "tha": "978611 978616 978974",
    "ind": "978602 978623 978979",
    "vie": "978604",
}
"""How ISBNs of a language's countries begin, by the International ISBN Agency; not countries of several."""
_LANGUAGES: Final = {prefix: language for language, prefixes in GROUPS.items() for prefix in prefixes.split()}


def collect_languages(catalog: Export, book_ids: I64) -> I32:
    """(n_books,): the number of each book's language, 0 where nothing tells of it."""
    languages = np.zeros(book_ids.size, dtype=np.int32)
    is_ours, rows = find_rows(book_ids, catalog.editions["book_id"].to_numpy())
    told = defaultdict[int, Counter[str]](Counter)
    for row, isbn in zip(rows.tolist(), catalog.editions["isbn13"].filter(is_ours).to_pylist(), strict=True):
        if language := read_language(isbn):
            told[row][language] += 1
    for row, counts in told.items():
        languages[row] = number_language(counts.most_common(1)[0][0])
    is_ours, rows = find_rows(book_ids, catalog.books["book_id"].to_numpy())
    for row, code in zip(rows.tolist(), catalog.books["language"].filter(is_ours).to_pylist(), strict=True):
        if code is not None:
            languages[row] = number_language(code)
    return languages


def read_language(isbn13: str) -> str | None:
    """The code of the language that most books are in whose ISBNs begin like this one; None if it is open."""
    return next((_LANGUAGES[isbn13[:n]] for n in (4, 5, 6) if isbn13[:n] in _LANGUAGES), None)
