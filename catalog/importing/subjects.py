"""Collects raw subjects of books while they stream by, then folds and writes them all at once."""

from array import array
from collections.abc import Iterable, Mapping, Sequence, Set

import numpy as np
from sqlalchemy import Connection, delete, select

from catalog.bulk import CHUNK_ROWS, RowWriter
from catalog.cleaning import subject_key
from catalog.edits import OWN_SOURCE, Settled
from catalog.importing.changes import Changes
from catalog.importing.folding import choose_names, find_stem, fold_key, merge_variants
from catalog.importing.ids import read_dict, read_ids
from catalog.importing.subject_words import read_subject_words
from catalog.subjects import MAX_SUBJECTS_A_BOOK, update_main_subjects
from catalog.tables import (
    RAW_SUBJECT_LENGTH,
    Book,
    BookSubject,
    EditedField,
    Subject,
    SubjectAlias,
    SubjectEdit,
)
from foundation.arrays import I64, pack_pairs, rank_in_group, unpack_pairs

SHARE_OF_ONE_AUTHOR = 0.5
"""A subject most of whose books are one author's is that author, a series or a hero of theirs."""
FEWEST_BOOKS_FOR_SHARE = 3
Rows = tuple[I64, I64, I64]
"""Columns, of subjects of books: book_id, subject_id, position."""
_NOTHING = -1
"""Number of the key of raw strings that fold to nothing; as an index it is the last place."""


class SubjectCollector:
    """Raw subjects of every book, kept as numbers: 24 bytes a mention."""

    def __init__(self) -> None:
        self._raws: dict[str, int] = {}
        self._exact: dict[str, str] = {}
        self._authors: dict[str | int, int] = {}
        self._columns = array("q"), array("q"), array("q")
        self.changes = Changes()

    def add(
        self, book_id: int, raws: Sequence[str], exact: Sequence[str] = (), *, first_author: str | None
    ) -> None:
        """Note what a book's source says it is about; exact subjects keep their names."""
        books, raw_idx, author_idx = self._columns
        # Books without an author have as many as they are.
        author = self._authors.setdefault(first_author or book_id, len(self._authors))
        # MariaDB takes two names for one that differ by spaces at their ends.
        exact, raws = ([name.strip() for name in names] for names in (exact, raws))
        for name in exact:
            self._exact.setdefault(subject_key(name), name)
        for raw in dict.fromkeys((*exact, *raws)):
            books.append(book_id)
            raw_idx.append(self._raws.setdefault(raw, len(self._raws)))
            author_idx.append(author)

    def write(
        self, connection: Connection, source: str, settled: Settled, *, adopted: Mapping[int, int]
    ) -> dict[str, int]:
        """Replace the subjects of the books that were added; return totals for the report.

        `adopted` books are part of others by now. What an operator has settled stays.
        """
        known = {subject_key(name): name for name in connection.scalars(select(Subject.name))}
        name_of_raw = self.fold(known, adopted)
        id_of_name = _find_ids(connection, sorted({name for name in name_of_raw.values() if name}))
        subject_of_raw = np.array(
            [_NOTHING if name is None else id_of_name[name] for name in name_of_raw.values()], dtype=np.int64
        )
        _write_aliases(connection, list(name_of_raw), subject_of_raw)
        book_ids, raw_idx, _ = self._read_columns(adopted)
        generic = [id_of_name[name] for name in read_subject_words().generic if name in id_of_name]
        books_kept = [book_id for book_id in settled.fields if settled.has(book_id, EditedField.SUBJECTS)]
        is_ours = np.isin(book_ids, [*books_kept, *settled.foreign], invert=True)
        book_ids, raw_idx = book_ids[is_ours], raw_idx[is_ours]
        rows = rank_subjects(book_ids, subject_of_raw[raw_idx], np.array(generic, dtype=np.int64))
        differing = self._compare(_read_book_subjects(connection, np.unique(book_ids)), rows)
        _forget_book_subjects(connection, differing)
        is_new = np.isin(rows[0], differing)
        books, subjects, positions = (column[is_new] for column in rows)
        _write_book_subjects(connection, source, (books, subjects, positions))
        n_folded = int((subject_of_raw != _NOTHING).sum())
        return {"raw subjects": subject_of_raw.size, "raw subjects folded": n_folded}

    def fold(self, known: Mapping[str, str], adopted: Mapping[int, int]) -> dict[str, str | None]:
        """The subject's name of each raw string, or None; `known` are names by their keys."""
        book_ids, raw_idx, author_idx = self._read_columns(adopted)
        raws = list(self._raws)
        keys, key_of_raw = fold_all(raws, raw_idx, book_ids, self._exact)
        public = read_subject_words().names.keys() | self._exact.keys()
        key_of_raw = drop_private(keys, key_of_raw, raw_idx, book_ids, author_idx, public)
        n_books_of_key = count_books(key_of_raw[raw_idx], book_ids, len(keys))
        names = choose_names(
            {key: n for key, n in zip(keys, n_books_of_key.tolist(), strict=True) if n},
            _commonest_spellings(raws, raw_idx, key_of_raw, keys),
            known=known,
            n_books=np.unique(book_ids).size,
        )
        names |= {key: known.get(key, name) for key, name in self._exact.items()}
        name_of_key = [*(names.get(key) for key in keys), None]
        return {raw: name_of_key[key] for raw, key in zip(raws, key_of_raw.tolist(), strict=True)}

    def _read_columns(self, adopted: Mapping[int, int]) -> Rows:
        """Columns book_id, number of the raw string, number of the first author."""
        book_ids, raw_idx, author_idx = (np.array(column, dtype=np.int64) for column in self._columns)
        for book_id, heir_id in adopted.items():
            book_ids[book_ids == book_id] = heir_id
        return book_ids, raw_idx, author_idx

    def _compare(self, stored: Rows, rows: Rows) -> I64:
        """Ids of the books whose subjects are not what is stored; all books are counted."""
        both = np.setxor1d(_pack(stored), _pack(rows))
        differing, before = np.unique(unpack_pairs(both)[0]), np.unique(stored[0])
        n_changed = int(np.isin(differing, before).sum())
        n_unchanged = np.union1d(before, rows[0]).size - differing.size
        self.changes = Changes(differing.size - n_changed, n_changed, n_unchanged)
        return differing


def fold_all(
    raws: Sequence[str], raw_idx: I64, book_ids: I64, exact: Iterable[str] = ()
) -> tuple[list[str], I64]:
    """The distinct keys, and (n_raws,) the number of each raw string's key: -1 if it folds to nothing.

    Exact keys are nobody's variant; what would fold to the same as one of them folds to it.
    """
    numbers: dict[str, int] = {}
    folded = list(map(fold_key, raws))
    own = {variant: key for key in exact if (variant := fold_key(key))} | {key: key for key in exact}
    if own:
        folded = [
            own.get(subject_key(raw)) or (key and own.get(key, key))
            for raw, key in zip(raws, folded, strict=True)
        ]
    first = np.array(
        [_NOTHING if key is None else numbers.setdefault(key, len(numbers)) for key in folded], dtype=np.int64
    )
    keys = list(numbers)
    counts = count_books(first[raw_idx], book_ids, len(keys))
    merged = merge_variants({key: n for key, n in zip(keys, counts.tolist(), strict=True) if key not in own})
    final = np.array([numbers[merged.get(key, key)] for key in keys] + [_NOTHING], dtype=np.int64)
    return keys, final[first]


def drop_private(
    keys: Sequence[str], key_of_raw: I64, raw_idx: I64, book_ids: I64, author_idx: I64, public: Set[str]
) -> I64:
    """key_of_raw with -1 for keys of mostly one author's books; public keys always stay."""
    mentioned = key_of_raw[raw_idx]
    # A book has one first author, so any of its mentions tells which.
    first = np.unique(pack_pairs(mentioned, book_ids), return_index=True)[1]
    first = first[mentioned[first] != _NOTHING]
    n_books = np.bincount(mentioned[first], minlength=len(keys))
    pairs, n_of_author = np.unique(pack_pairs(mentioned[first], author_idx[first]), return_counts=True)
    largest = np.zeros(len(keys), dtype=np.int64)
    np.maximum.at(largest, unpack_pairs(pairs)[0], n_of_author)
    private = (n_books >= FEWEST_BOOKS_FOR_SHARE) & (largest > SHARE_OF_ONE_AUTHOR * n_books)
    private &= np.array([key not in public for key in keys], dtype=bool)
    return np.where(np.append(private, False)[key_of_raw], _NOTHING, key_of_raw)


def count_books(groups: I64, book_ids: I64, n_groups: int) -> I64:
    """(n_groups,) how many different books each group is mentioned with; group -1 does not count."""
    group_of_pair, _ = unpack_pairs(np.unique(pack_pairs(groups, book_ids)))
    return np.bincount(group_of_pair[group_of_pair != _NOTHING], minlength=n_groups)


def rank_subjects(book_ids: I64, subject_ids: I64, generic: I64) -> Rows:
    """Columns book_id, subject_id, position of every book's subjects, at most MAX_SUBJECTS_A_BOOK each.

    Those that most raw strings of the book fold to come first, then those that its source named first;
    generic ones come last. Mentions of subject -1 are ignored.
    """
    known = subject_ids != _NOTHING
    pairs, first, n_mentions = np.unique(
        pack_pairs(book_ids[known], subject_ids[known]), return_index=True, return_counts=True
    )
    books, subjects = unpack_pairs(pairs)
    order = np.lexsort((first, -n_mentions, np.isin(subjects, generic), books))
    books, subjects = books[order], subjects[order]
    position = rank_in_group(np.unique(books, return_inverse=True)[1])
    kept = position < MAX_SUBJECTS_A_BOOK
    return books[kept], subjects[kept], position[kept]


def _commonest_spellings(
    raws: Sequence[str], raw_idx: I64, key_of_raw: I64, keys: Sequence[str]
) -> dict[str, str]:
    """The commonest raw form of each key, of those that are the key itself where there are any."""
    n_mentions = np.bincount(raw_idx, minlength=len(raws))
    spellings: dict[str, str] = {}
    best: dict[str, tuple[bool, int]] = {}
    for raw, n, key_idx in zip(raws, n_mentions.tolist(), key_of_raw.tolist(), strict=True):
        if key_idx == _NOTHING:
            continue
        key = keys[key_idx]
        rank = (subject_key(raw) == key, n)
        if rank > best.get(key, (False, 0)):
            best[key], spellings[key] = rank, raw if rank[0] else key
    return spellings


def _find_ids(connection: Connection, names: list[str]) -> dict[str, int]:
    """Ids of these subjects, new ones among them; a name of which an operator has made another has its id."""
    edits = read_dict(connection, select(SubjectEdit.name_key, SubjectEdit.subject_id))
    by_stem = {find_stem(key): key for key in sorted(edits)}
    known = set(connection.scalars(select(Subject.name))) if edits else set()
    edited: dict[str, int] = {}
    for name in names:
        key = subject_key(name)
        if key not in edits and name not in known:
            key = by_stem.get(find_stem(key), key)
        if key in edits:
            edited[name] = _NOTHING if edits[key] is None else edits[key]
    return edited | _write_names(connection, [name for name in names if name not in edited])


def _write_names(connection: Connection, names: list[str]) -> dict[str, int]:
    """Ids of these subjects, old and new."""
    ids = read_ids(connection, select(Subject.name, Subject.subject_id), Subject.subject_id)
    writer = RowWriter.inserting(connection, Subject, "subject_id", "name", "is_generic", "n_books")
    id_of_name: dict[str, int] = {}
    for name in names:
        id_of_name[name], is_new = ids.get_or_create(name)
        if is_new:
            writer.add(id_of_name[name], name, name in read_subject_words().generic, 0)
    writer.flush()
    return id_of_name


def _write_aliases(connection: Connection, raws: Sequence[str], subject_of_raw: I64) -> None:
    wanted = {
        raw: subject
        for raw, subject in zip(raws, subject_of_raw.tolist(), strict=True)
        if subject != _NOTHING and len(raw) <= RAW_SUBJECT_LENGTH
    }
    stored = connection.scalars(select(SubjectAlias.raw)).all()
    for first in range(0, len(stored), 1_000):
        stale = [raw for raw in stored[first : first + 1_000] if raw in wanted]
        connection.execute(delete(SubjectAlias).where(SubjectAlias.raw.in_(stale)))
    RowWriter.inserting(connection, SubjectAlias, "raw", "subject_id").extend(wanted.items())


def _read_book_subjects(connection: Connection, book_ids: I64) -> Rows:
    query, found = select(BookSubject.book_id, BookSubject.subject_id, BookSubject.position), []
    for start in range(0, book_ids.size, CHUNK_ROWS):
        chunk = book_ids[start : start + CHUNK_ROWS].tolist()
        rows = connection.execute(query.where(BookSubject.book_id.in_(chunk))).all()
        found.append(np.array([tuple(row) for row in rows], dtype=np.int64).reshape(-1, 3))
    books, subjects, positions = np.concatenate([*found, np.empty((0, 3), dtype=np.int64)]).T
    return books, subjects, positions


def _pack(rows: Rows) -> I64:
    books, subjects, positions = rows
    return pack_pairs(books, subjects * MAX_SUBJECTS_A_BOOK + positions)


def _forget_book_subjects(connection: Connection, book_ids: I64) -> None:
    for start in range(0, book_ids.size, CHUNK_ROWS):
        chunk = book_ids[start : start + CHUNK_ROWS].tolist()
        connection.execute(delete(BookSubject).where(BookSubject.book_id.in_(chunk)))


def _write_book_subjects(connection: Connection, source: str, rows: Rows) -> None:
    writer = RowWriter.inserting(connection, BookSubject, "book_id", "subject_id", "position")
    writer.extend(zip(*(column.tolist() for column in rows), strict=True))
    update_main_subjects(connection, Book.source.in_([source, OWN_SOURCE]))
