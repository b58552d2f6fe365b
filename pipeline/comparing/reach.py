"""How far down the shelves lists reach: which share of their places the most read books take."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from foundation.arrays import F64, I64, find_rows
from pipeline.comparing.bench import Bench

HEADS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Shares of the books that may be shown, the most read first."""


def measure_reach(bench: Bench, lists: Sequence[I64]) -> list[float]:
    """The share of all places that each of HEADS takes."""
    book_ids = bench.fold.book_ids
    rows = find_rows(book_ids, np.concatenate(lists))[1]
    return _accumulate(bench, np.bincount(rows, minlength=book_ids.size))


def measure_read_reach(bench: Bench) -> list[float]:
    """The share of all readings that each of HEADS has."""
    return _accumulate(bench, bench.aggregates.counts)


def find_shares(bench: Bench) -> F64:
    """(n_items,): the share of readers who have read each book; one of none counts as half a reader's."""
    return np.maximum(bench.aggregates.counts, 0.5) / bench.fold.user_ids.size


def _accumulate(bench: Bench, n_of_book: I64) -> list[float]:
    is_shown = bench.fold.is_shown
    counts, n_of_book = bench.aggregates.counts[is_shown], n_of_book[is_shown]
    order = np.argsort(-counts, kind="stable")
    upto = np.cumsum(n_of_book[order]) / max(n_of_book.sum(), 1)
    ends = [max(round(head * order.size), 1) for head in HEADS]
    return [float(upto[end - 1]) for end in ends]
