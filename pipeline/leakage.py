"""Keeps what is held out from every model: folds that overlap end a run, and later steps see no readers."""

from dataclasses import replace

import numpy as np

from foundation.arrays import I64, pack_pairs
from pipeline.errors import FoldsOverlap
from pipeline.records import Export, Fold, Interactions, Split


def check_folds(folds: Split) -> None:
    """Raise FoldsOverlap if a fold that models learn from knows any pair that they are judged by."""
    held_out, inner_held_out = _list_pairs(folds.held_out), _list_pairs(folds.inner_held_out)
    never_in = {
        "train": (_list_known(folds.train), held_out),
        "inner": (_list_known(folds.inner), np.concatenate([held_out, inner_held_out])),
        "inner held-out": (inner_held_out, held_out),
    }
    for name, (known, judged_by) in never_in.items():
        if n_shared := int(np.isin(judged_by, known).sum()):
            raise FoldsOverlap(name, n_shared)


def leave_books(catalog: Export) -> Export:
    """The catalog without anything that readers did: all that steps after the split need of it."""
    return replace(catalog, ratings=catalog.ratings.slice(0, 0), events=catalog.events.slice(0, 0))


def _list_pairs(interactions: Interactions) -> I64:
    return pack_pairs(interactions.user_ids, interactions.book_ids)


def _list_known(fold: Fold) -> I64:
    """Pairs of a fold's readers, those of events included; who only had events holds nothing out."""
    user_idx, item_idx = (fold.user_items + fold.events[: fold.user_ids.size]).nonzero()
    return pack_pairs(fold.user_ids[user_idx], fold.book_ids[item_idx])
