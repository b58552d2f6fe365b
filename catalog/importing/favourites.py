"""Works out every reader's favourite subjects from the books they liked."""

from collections.abc import Iterator
from itertools import chain

import numpy as np
import scipy.sparse as sp
from sqlalchemy import Connection, delete, select

from catalog.accounts import select_of_themselves
from catalog.bulk import RowWriter
from catalog.importing.rating_columns import RatingColumns
from catalog.tables import Book, BookSubject, Subject, User, UserSubject
from foundation.arrays import I64, rank_in_group

MAX_FAVOURITES = 5
LIKED_FROM = 7.0
"""Explicit ratings from here on mean liked; so does an implicit one."""
_CHUNK_USERS = 20_000


def write_favourites(connection: Connection, source: str, ratings: RatingColumns) -> int:
    """Replace the favourite subjects of a source's readers; return how many readers got any.

    Those who have told of themselves keep what they chose.
    """
    of_themselves = select_of_themselves(source)
    found = select(User.user_id).where(User.source == source, User.user_id.not_in(of_themselves))
    connection.execute(delete(UserSubject).where(UserSubject.user_id.in_(found)))
    if kept := list(connection.scalars(of_themselves)):
        ratings = ratings.take(~np.isin(ratings.user_id, kept))
    book_subjects = _read_book_subjects(connection)
    writer = RowWriter.inserting(connection, UserSubject, "user_id", "subject_id", "position")
    n_users = 0
    for user_ids, subject_ids, positions in find_favourites(ratings, book_subjects):
        writer.extend(zip(user_ids.tolist(), subject_ids.tolist(), positions.tolist(), strict=True))
        n_users += int((positions == 0).sum())
    return n_users


def find_favourites(ratings: RatingColumns, book_subjects: sp.csr_array) -> Iterator[tuple[I64, I64, I64]]:
    """Columns user_id, subject_id, position: the subjects of most weight over the books a reader liked.

    book_subjects is CSR (max book_id + 1, max subject_id + 1), the weight of each subject in each book.
    """
    liked = np.isnan(ratings.rating) | (ratings.rating >= LIKED_FROM)
    liked &= ratings.book_id < book_subjects.shape[0]
    user_ids, user_idx = np.unique(ratings.user_id[liked], return_inverse=True)
    book_ids = ratings.book_id[liked]
    for start in range(0, user_ids.size, _CHUNK_USERS):
        part = slice(*np.searchsorted(user_idx, [start, start + _CHUNK_USERS]))
        n_users = min(_CHUNK_USERS, user_ids.size - start)
        user_books = sp.csr_array(
            (np.ones(book_ids[part].size, dtype=np.float32), (user_idx[part] - start, book_ids[part])),
            shape=(n_users, book_subjects.shape[0]),
        )
        idx, subject_ids, positions = _top(user_books @ book_subjects)
        yield user_ids[start + idx], subject_ids, positions


def _top(user_subjects: sp.csr_array) -> tuple[I64, I64, I64]:
    """Row, column and rank of each row's MAX_FAVOURITES largest values; ties go to the smaller column."""
    coo = user_subjects.tocoo()
    order = np.lexsort((coo.col, -coo.data, coo.row))
    rows = coo.row[order].astype(np.int64)
    rank = rank_in_group(rows)
    kept = rank < MAX_FAVOURITES
    return rows[kept], coo.col[order][kept].astype(np.int64), rank[kept]


def _read_book_subjects(connection: Connection) -> sp.csr_array:
    rows = connection.execute(
        select(BookSubject.book_id, BookSubject.subject_id, BookSubject.position)
        .join(Subject, Subject.subject_id == BookSubject.subject_id)
        .join(Book, Book.book_id == BookSubject.book_id)
        .where(Subject.is_generic.is_(False), Book.hidden.is_(None)),
        execution_options={"stream_results": True},
    )
    numbers = np.fromiter(chain.from_iterable(rows), dtype=np.int32)
    books, subjects, positions = numbers.reshape(-1, 3).T
    # A book's main subject tells more of its reader than its tenth.
    weights = (1.0 / (1.0 + positions)).astype(np.float32)
    shape = (int(books.max(initial=0)) + 1, int(subjects.max(initial=0)) + 1)
    return sp.csr_array((weights, (books, subjects)), shape=shape)
