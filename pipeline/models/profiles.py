"""What readers whose books are known would tell of themselves, were they new."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_array, diags_array, hstack

from catalog.traits import TRAITS, name_traits
from foundation.arrays import I64, find_rows, rank_in_group
from pipeline.models.subject_sets import (
    N_FAVOURITES,
    collect_authors,
    collect_subject_sets,
    list_author_ids,
)
from pipeline.records import Export
from servers.als.newcomers import TRAIT_WEIGHT, Told, weigh_place

_WEIGHTS: Final = np.array([weigh_place(place) for place in range(N_FAVOURITES)], dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Profiles:
    """Favourites and traits of readers; columns are the subjects, then the authors, then the traits."""

    subjects: list[str]
    author_ids: I64
    """Ascending."""
    traits: list[str]
    told: csr_array
    """(n_users, n_columns) float32: how much each counts for what a reader is shown."""

    def told_by(self, user: int) -> Told:
        """What one reader would tell, the dearest first."""
        start, end = self.told.indptr[user : user + 2]
        order = np.argsort(-self.told.data[start:end], kind="stable")
        columns = self.told.indices[start:end][order]
        n_subjects, n_favourites = len(self.subjects), len(self.subjects) + self.author_ids.size
        is_author = (columns >= n_subjects) & (columns < n_favourites)
        return Told(
            subjects=[self.subjects[column] for column in columns[columns < n_subjects]],
            author_ids=self.author_ids[columns[is_author] - n_subjects].tolist(),
            traits=[self.traits[column - n_favourites] for column in columns[columns >= n_favourites]],
        )


def describe_readers(user_ids: I64, user_items: csr_array, book_ids: I64, catalog: Export) -> Profiles:
    """The subjects and authors that readers (ids ascending) read most, and what the catalog has of them.

    user_items are (n_users, n_books), 1 for every book read.
    """
    sets = collect_subject_sets(catalog.book_subjects, catalog.subjects, book_ids)
    telling = csr_array(sets.matrix @ diags_array((~sets.is_generic).astype(np.float32)))
    authors = collect_authors(catalog.book_authors, book_ids)
    traits, of_readers = _collect_traits(user_ids, catalog.users)
    told = [_weigh_favourites(user_items @ telling), _weigh_favourites(user_items @ authors), of_readers]
    author_ids = list_author_ids(catalog.book_authors, book_ids)
    return Profiles(sets.names, author_ids, traits, csr_array(hstack(told), dtype=np.float32))


def _weigh_favourites(counts: csr_array) -> csr_array:
    """(n_users, n_columns): what each of a reader's N_FAVOURITES largest counts, ties by column."""
    found = csr_array(counts).tocoo()
    is_read = found.data > 0
    rows, columns, n_read = found.row[is_read], found.col[is_read], found.data[is_read]
    order = np.lexsort((columns, -n_read, rows))
    rows, columns = rows[order].astype(np.int64), columns[order]
    place = rank_in_group(rows) if rows.size else rows
    kept = place < N_FAVOURITES
    return csr_array((_WEIGHTS[place[kept]], (rows[kept], columns[kept])), shape=counts.shape)


def _collect_traits(user_ids: I64, users: pa.Table) -> tuple[list[str], csr_array]:
    """Names of the traits that occur, and (n_users, n_traits) with what they count."""
    is_ours, rows = find_rows(user_ids, users["user_id"].to_numpy())
    described: Iterable[dict[str, str | None]] = users.filter(pa.array(is_ours)).select(TRAITS).to_pylist()
    named = [name_traits(**each) for each in described]
    names = sorted({name for each in named for name in each})
    column_of = {name: column for column, name in enumerate(names)}
    columns = np.array([column_of[name] for each in named for name in each], dtype=np.int64)
    places = np.repeat(rows, [len(each) for each in named])
    weights = np.full(columns.size, TRAIT_WEIGHT, dtype=np.float32)
    return names, csr_array((weights, (places, columns)), shape=(user_ids.size, len(names)))
