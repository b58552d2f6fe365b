"""Parts of what is measured: readers of short and long histories, of each age; books that few have read."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from catalog.cleaning import AGE_GROUPS
from catalog.demographics import Demographics
from foundation.arrays import I64, Mask
from pipeline.comparing.bench import Bench
from pipeline.comparing.figures import Table, measure_lists
from pipeline.evaluation.slices import find_head
from pipeline.evaluation.users import EvaluationUsers

LENGTHS: Final = (0, 5, 10, 20, 50, 100, None)
"""Bounds of the lengths of histories, in books: from the first on, below the second."""
Name = tuple[str, str]
"""What readers or books are told apart by, and which of them: ("history", "5 to 9 books")."""


def cut(
    bench: Bench, table: Table, lists: Mapping[str, Sequence[I64]], who: Demographics
) -> dict[Name, Table]:
    """The table of each part that has a reader."""
    masks = {**_by_length(bench.users), **_by_age(bench.users, who)}
    parts = {name: table.take(mask) for name, mask in masks.items() if mask.any()}
    head = bench.fold.book_ids[find_head(bench.aggregates.counts)]
    held_out = bench.users.held_out
    of_head = [books[np.isin(books, head)] for books in held_out]
    of_tail = [books[~np.isin(books, head)] for books in held_out]
    for name, part in (("most read", of_head), ("others", of_tail)):
        if any(books.size for books in part):
            parts["held-out books", name] = _measure_only(bench, lists, part)
    return parts


def _by_length(users: EvaluationUsers) -> dict[Name, Mask]:
    lengths = np.array([history.size for history in users.histories])
    masks: dict[Name, Mask] = {}
    for first, end in pairwise(LENGTHS):
        assert first is not None
        name = f"{first} to {end - 1} books" if end else f"{first} books or more"
        masks["history", name] = (lengths >= first) & (lengths < (end or np.inf))
    return masks


def _by_age(users: EvaluationUsers, who: Demographics) -> dict[Name, Mask]:
    groups = [who.age_groups.get(user_id) for user_id in users.user_ids.tolist()]
    masks = {name: np.array([each == name for each in groups]) for _, name in AGE_GROUPS}
    return {("age", name): mask for name, mask in masks.items() if mask.any()}


def _measure_only(bench: Bench, lists: Mapping[str, Sequence[I64]], held_out: Sequence[I64]) -> Table:
    """What lists are worth to readers with any of these, were they all that each held out."""
    rows = [row for row, books in enumerate(held_out) if books.size]
    values = {
        model: measure_lists([served[row] for row in rows], [held_out[row] for row in rows], bench.k)
        for model, served in lists.items()
    }
    return Table(bench.users.user_ids[rows], values)
