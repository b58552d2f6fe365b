"""Lays out what readers see of a book: one card a book, from the catalog and the ratings."""

from typing import Final

import numpy as np
import pyarrow as pa

from foundation.arrays import F64, I64, find_rows
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
    ]
)
"""The columns of `contracts.metadata.BookCard`."""


def build_cards(catalog: Export, counts: I64, bayesian_mean: F64) -> pa.Table:
    """One card for each book of the catalog, ascending by book_id.

    counts and bayesian_mean, NaN for none, are in the order of the books.
    """
    books = catalog.books
    book_ids = books["book_id"].to_numpy()
    subject_names = _read_names(catalog.subjects, "subject_id")
    author_names = _read_names(catalog.authors, "author_id")
    columns = {
        "book_id": books["book_id"],
        "title": books["title"],
        "authors": _gather(book_ids, catalog.book_authors, "author_id", author_names),
        "year": books["year"],
        "language": books["language"],
        "isbns": _gather(book_ids, catalog.editions, "isbn13"),
        "main_subject": [subject_names.get(each) for each in books["main_subject_id"].to_pylist()],
        "subjects": _gather(book_ids, catalog.book_subjects, "subject_id", subject_names),
        "description": books["description"],
        "n_ratings": counts,
        "mean_rating": pa.array(bayesian_mean, from_pandas=True),
    }
    return pa.table(columns, schema=SCHEMA)


def _gather(
    book_ids: I64, links: pa.Table, column: str, names: dict[int, str] | None = None
) -> list[list[str]]:
    """For each book the linked values in order: by `position` where the links have one."""
    is_ours, rows = find_rows(book_ids, links["book_id"].to_numpy())
    links = links.filter(pa.array(is_ours))
    places = links["position"].to_numpy() if "position" in links.column_names else np.zeros(rows.size)
    values = links[column].to_pylist()
    gathered: list[list[str]] = [[] for _ in range(book_ids.size)]
    for at in np.lexsort((places, rows)):
        gathered[rows[at]].append(names[values[at]] if names is not None else values[at])
    return gathered


def _read_names(table: pa.Table, id_column: str) -> dict[int, str]:
    return dict(zip(table[id_column].to_pylist(), table["name"].to_pylist(), strict=True))
