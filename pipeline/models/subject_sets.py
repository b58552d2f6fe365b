"""What the catalog tells of books, by the rows of a vocabulary: subjects, authors and words of titles."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import csr_array

from foundation.arrays import F32, I64, Mask, expand_ranges, find_rows, find_starts
from foundation.text import STOP_WORDS, split_words

N_FAVOURITES: Final = 5
"""Favourite subjects by which a reader without a history is known."""
NO_SUBJECT: Final = -1
"""Fills up the rows of a padded table of subject sets."""
FEWEST_LETTERS: Final = 3
"""Of a word of a title that tells of the book: articles of most languages have fewer."""
MOST_TITLES: Final = 200
"""With a word that tells of the book: the pairs of their books would be many, and tell little."""


class Sets(NamedTuple):
    """One set of row numbers for each book: book i has members[offsets[i]:offsets[i + 1]]."""

    offsets: I64
    members: I64

    def matrix(self, n_columns: int) -> csr_array:
        """(n_books, n_columns), 1 where the book has the member."""
        ones = np.ones(self.members.size, dtype=np.float32)
        return csr_array((ones, self.members, self.offsets), shape=(self.offsets.size - 1, n_columns))

    def cut(self, width: int) -> "Sets":
        """The first `width` of each."""
        sizes = np.diff(self.offsets)
        kept = np.minimum(sizes, width)
        return Sets(
            np.concatenate([[0], np.cumsum(kept)]), self.members[expand_ranges(self.offsets[:-1], kept)]
        )

    def join(self, other: "Sets") -> "Sets":
        """What either has, what is of this one first."""
        owners = np.concatenate([np.repeat(np.arange(len(o) - 1), np.diff(o)) for o, _ in (self, other)])
        members = np.concatenate([self.members, other.members])
        return Sets(self.offsets + other.offsets, members[np.argsort(owners, kind="stable")])

    def shift(self, by: int) -> "Sets":
        """The same with other numbers."""
        return Sets(self.offsets, self.members + by)


@dataclass(frozen=True, eq=False)
class SubjectSets:
    """Each book's subjects, the most telling first."""

    names: list[str]
    is_generic: Mask
    """(n_subjects,): too broad to tell a reader's taste ("Fiction")."""
    offsets: I64
    """(n_books + 1,): book i has subject_idx[offsets[i]:offsets[i + 1]]."""
    subject_idx: I64

    @property
    def sets(self) -> Sets:
        """The same without names."""
        return Sets(self.offsets, self.subject_idx)

    @property
    def matrix(self) -> csr_array:
        """(n_books, n_subjects), 1 where the book has the subject."""
        return self.sets.matrix(len(self.names))


def collect_subject_sets(
    book_subjects: pa.Table, subjects: pa.Table, book_ids: I64, *, known: list[str] | None = None
) -> SubjectSets:
    """Subjects of these books (ascending ids); the vocabulary is what occurs, by subject_id, or `known`."""
    is_ours, rows = find_rows(book_ids, book_subjects["book_id"].to_numpy())
    links = book_subjects.filter(pa.array(is_ours))
    if known is not None:
        is_known = pc.is_in(subjects["name"], value_set=pa.array(known, pa.string()))
    else:
        is_known = pc.is_in(subjects["subject_id"], value_set=links["subject_id"].combine_chunks())
    vocabulary = subjects.filter(is_known).sort_by("subject_id")
    has_row, subject_idx = find_rows(vocabulary["subject_id"].to_numpy(), links["subject_id"].to_numpy())
    rows, position = rows[has_row], links["position"].to_numpy()[has_row]
    order = np.lexsort((subject_idx, position, rows))
    return SubjectSets(
        names=vocabulary["name"].to_pylist(),
        is_generic=np.array(vocabulary["is_generic"].to_pylist(), dtype=bool),
        offsets=find_starts(rows, book_ids.size),
        subject_idx=subject_idx[order],
    )


def collect_author_sets(book_authors: pa.Table, book_ids: I64, author_ids: I64) -> Sets:
    """Of each book, which of the ascending author_ids wrote it."""
    is_ours, rows = find_rows(book_ids, book_authors["book_id"].to_numpy())
    is_known, author_idx = find_rows(author_ids, book_authors["author_id"].to_numpy()[is_ours])
    rows = rows[is_known]
    return Sets(find_starts(rows, book_ids.size), author_idx[np.lexsort((author_idx, rows))])


def collect_authors(book_authors: pa.Table, book_ids: I64) -> csr_array:
    """(n_books, n_authors) float32, 1 where the author wrote the book; columns as in `list_author_ids`."""
    is_ours, rows = find_rows(book_ids, book_authors["book_id"].to_numpy())
    author_ids, columns = np.unique(book_authors["author_id"].to_numpy()[is_ours], return_inverse=True)
    ones = np.ones(rows.size, dtype=np.float32)
    return csr_array((ones, (rows, columns)), shape=(book_ids.size, author_ids.size))


def list_author_ids(book_authors: pa.Table, book_ids: I64) -> I64:
    """The authors of these books, ascending."""
    is_ours, _ = find_rows(book_ids, book_authors["book_id"].to_numpy())
    return np.unique(book_authors["author_id"].to_numpy()[is_ours])


def collect_title_words(books: pa.Table, book_ids: I64) -> csr_array:
    """(n_books, n_words) float32, 1 where the title has the word; columns are words of a few titles."""
    is_ours, rows = find_rows(book_ids, books["book_id"].to_numpy())
    titles = books["title"].filter(pa.array(is_ours)).to_pylist()
    found = [
        (row, word)
        for row, title in zip(rows.tolist(), titles, strict=True)
        for word in sorted(set(split_words(title)) - STOP_WORDS)
        if len(word) >= FEWEST_LETTERS
    ]
    if not found:
        return csr_array((book_ids.size, 0), dtype=np.float32)
    row_idx, words = zip(*found, strict=True)
    columns = pa.array(words).dictionary_encode().indices.to_numpy()
    n_titles = np.bincount(columns)
    ones, shape = np.ones(columns.size, dtype=np.float32), (book_ids.size, n_titles.size)
    is_telling = (n_titles > 1) & (n_titles <= MOST_TITLES)
    return csr_array(csr_array((ones, (row_idx, columns)), shape=shape)[:, np.flatnonzero(is_telling)])


def find_favourites(counts: F32, is_generic: Mask, n: int) -> I64:
    """(n_users, n): columns of the largest counts, ties by column, never generic; padded with NO_SUBJECT."""
    wanted = np.where(is_generic[None], 0, counts)
    if wanted.shape[1] < n:
        wanted = np.pad(wanted, ((0, 0), (0, n - wanted.shape[1])))
    # An integer key breaks ties exactly, so a partition suffices: sorting all subjects costs ten times that.
    keys = wanted.astype(np.int64) * wanted.shape[1] + np.arange(wanted.shape[1])[None, ::-1]
    best = np.argpartition(-keys, n - 1, axis=1)[:, :n]
    best = np.take_along_axis(best, np.argsort(-np.take_along_axis(keys, best, axis=1), axis=1), axis=1)
    return np.where(np.take_along_axis(wanted, best, axis=1) > 0, best, NO_SUBJECT)
