"""Lays out what readers see of a book: one card a book, from the catalog and the ratings."""

import hashlib
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from foundation.arrays import F64, I64, find_rows, find_starts
from pipeline.records import Export

SCHEMA: Final = pa.schema(
    [
        ("book_id", pa.int64()),
        ("title", pa.string()),
        ("authors", pa.list_(pa.string())),
        ("year", pa.int64()),
        ("language", pa.string()),
        ("isbns", pa.list_(pa.string())),
        ("main_subject", pa.string()),
        ("subjects", pa.list_(pa.string())),
        ("description", pa.string()),
        ("n_ratings", pa.int64()),
        ("mean_rating", pa.float64()),
        ("n_pages", pa.int64()),
    ]
)
"""The columns of `contracts.metadata.BookCard`."""
FIGURES: Final = ("n_ratings", "mean_rating")
"""What ratings tell."""
TEXT_COLUMNS: Final = ("title", "authors", "subjects", "description")
"""What search reads."""


def build_cards(catalog: Export, counts: I64, bayesian_mean: F64) -> pa.Table:
    """One card for each book of the catalog, ascending by book_id.

    counts and bayesian_mean, NaN for none, are in the order of the books.
    """
    books = catalog.books
    book_ids = books["book_id"].to_numpy()
    columns = {
        "book_id": books["book_id"],
        "title": books["title"],
        "authors": _gather(book_ids, catalog.book_authors, "author_id", names_in=catalog.authors),
        "year": books["year"],
        "language": books["language"],
        "isbns": _gather(book_ids, catalog.editions, "isbn13"),
        "main_subject": _name(books["main_subject_id"], catalog.subjects, "subject_id"),
        "subjects": _gather(book_ids, catalog.book_subjects, "subject_id", names_in=catalog.subjects),
        "description": books["description"],
        "n_ratings": counts,
        "mean_rating": pa.array(bayesian_mean, from_pandas=True),
        "n_pages": books["n_pages"],
    }
    return pa.table(columns, schema=SCHEMA)


def build_plain_cards(catalog: Export) -> pa.Table:
    """The cards without figures of ratings: what the catalog alone tells."""
    n_books = catalog.books.num_rows
    return build_cards(catalog, np.zeros(n_books, dtype=np.int64), np.full(n_books, np.nan))


def name_state(cards: pa.Table) -> str:
    """Hex sha256 of all that cards tell but figures of ratings: equal catalogs have equal names."""
    told = cards.drop_columns(FIGURES).combine_chunks()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, told.schema) as writer:
        writer.write_table(told)
    return hashlib.sha256(sink.getvalue()).hexdigest()


def describe_books(cards: pa.Table) -> list[str]:
    """What is told of each book in words, for semantic search."""
    return [_describe(card) for card in cards.select(TEXT_COLUMNS).to_pylist()]


def _describe(card: dict[str, Any]) -> str:
    authors, subjects = ", ".join(card["authors"]), ", ".join(card["subjects"])
    return f"{card['title']}. {authors}. {subjects}. {card['description'] or ''}"


def _gather(book_ids: I64, links: pa.Table, column: str, *, names_in: pa.Table | None = None) -> pa.ListArray:
    """For each book the linked values, or their names, in order: by `position` where the links have one."""
    is_ours, rows = find_rows(book_ids, links["book_id"].to_numpy())
    links = links.filter(pa.array(is_ours))
    places = links["position"].to_numpy() if "position" in links.column_names else np.zeros(rows.size)
    values = links[column].take(pa.array(np.lexsort((places, rows))))
    if names_in is not None:
        values = _name(values, names_in, column)
    starts = pa.array(find_starts(rows, book_ids.size), pa.int32())
    return pa.ListArray.from_arrays(starts, pa.chunked_array(values).combine_chunks())


def _name(ids: pa.ChunkedArray, table: pa.Table, id_column: str) -> pa.ChunkedArray:
    """The names that a table has for these ids; null for null."""
    return table["name"].take(pc.index_in(ids, value_set=table[id_column]))
