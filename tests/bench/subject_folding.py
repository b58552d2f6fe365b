"""Measures what subject folding makes of real dumps.

Run `python -m tests.bench.subject_folding BOOK-CROSSING-FOLDER OPEN-LIBRARY-FOLDER [--seed N]`.
"""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from catalog.importing.folding import fold_key
from catalog.importing.subject_words import read_subject_words
from catalog.importing.subjects import SubjectCollector
from catalog.sources.book_crossing import BookCrossing
from catalog.sources.row_log import RowLog

FEWEST_BOOKS = (5, 20, 100)
"""How many works must share what is usable."""


def main() -> None:
    """Print the figures, and a sample to judge by eye."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("book_crossing", type=Path)
    parser.add_argument("open_library", type=Path)
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--pairs", type=int, default=50, help="how many to sample")
    options = parser.parse_args()
    log = RowLog(lambda stage, done, total: None)
    works = list(BookCrossing(options.book_crossing, options.open_library).works(log))
    collector = SubjectCollector()
    for number, work in enumerate(works):
        collector.add(number, work.subjects, first_author=next(iter(work.authors), None))
    name_of_raw = collector.fold({}, {})
    print_figures([work.subjects for work in works], name_of_raw)
    print_sample(name_of_raw, n=options.pairs, seed=options.seed)


def print_figures(raws_of_work: Sequence[Sequence[str]], name_of_raw: Mapping[str, str | None]) -> None:
    """How many strings and subjects there are, and what share of the works they reach."""
    before = [set(raws) for raws in raws_of_work]
    after = [{name for raw in raws if (name := name_of_raw[raw])} for raws in raws_of_work]
    n_kept = sum(name_of_raw[raw] is not None for raws in before for raw in raws)
    figures = {
        "works": len(before),
        "works with raw strings": sum(map(bool, before)),
        "raw strings": len(name_of_raw),
        "distinct keys": len({fold_key(raw) for raw in name_of_raw} - {None}),
        "raw strings with a subject": sum(name is not None for name in name_of_raw.values()),
        "subjects": len(set(name_of_raw.values()) - {None}),
        "subjects of five works": sum(n >= 5 for n in count_works(after).values()),
        "uses of raw strings": sum(map(len, before)),
        "of these with a subject": n_kept,
    }
    for fewest in FEWEST_BOOKS:
        figures[f"works with a raw string of {fewest}"] = count_usable(before, fewest)
        figures[f"works with a subject of {fewest}"] = count_usable(after, fewest)
    for name, n in figures.items():
        print(f"{name:<32}{n:>9,}")


def count_works(subjects_of_work: Sequence[set[str]]) -> Counter[str]:
    """In how many works each is."""
    return Counter(each for subjects in subjects_of_work for each in subjects)


def count_usable(subjects_of_work: Sequence[set[str]], fewest: int) -> int:
    """How many works have one that tells something and that so many works share."""
    usable = {each for each, n in count_works(subjects_of_work).items() if n >= fewest and tells(each)}
    return sum(bool(subjects & usable) for subjects in subjects_of_work)


def tells(subject: str) -> bool:
    """Whether it tells something of a book; a raw string does if what it folds to does."""
    words, key = read_subject_words(), fold_key(subject)
    return key is not None and words.names.get(key) not in words.generic


def print_sample(name_of_raw: Mapping[str, str | None], *, n: int, seed: int) -> None:
    """Raw strings that have a subject and do not spell it alike, with their subjects."""
    pairs = [
        (raw, name) for raw, name in sorted(name_of_raw.items()) if name and raw.casefold() != name.casefold()
    ]
    for i in np.random.default_rng(seed).choice(len(pairs), n, replace=False):
        print(f"{pairs[i][0][:70]:<72}{pairs[i][1]}")


if __name__ == "__main__":
    main()
