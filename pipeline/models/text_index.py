"""Writes the index of words that keyword search reads."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import tantivy

from foundation.arrays import F32
from foundation.text import split_words
from servers.metadata.text_index import FIELD_BOOSTS

POPULARITY_SHARE: Final = 0.25
"""The most popular book's score is multiplied by log2(2 + this) = 1.17: enough to order equals, too little
for a typo in a title (1.2 · 1.5 · 1.17) to pass a beginning among the subjects (3)."""
WRITER_HEAP_BYTES: Final = 64_000_000


def build_text_index(cards: pa.Table, popularity: F32, path: Path) -> None:
    """Write the text index of these n cards, whose popularity is (n,) in [0, 1], into an empty folder."""
    writer = tantivy.Index(_schema(), path=str(path)).writer(heap_size=WRITER_HEAP_BYTES, num_threads=1)
    for card, popular in zip(_iterate(cards), popularity.tolist(), strict=True):
        document = tantivy.Document()
        document.add_unsigned("book_id", card["book_id"])
        document.add_float("popularity", POPULARITY_SHARE * popular)
        document.add_text("title", " ".join(split_words(card["title"])))
        document.add_text("authors", " ".join(split_words(" ".join(card["authors"]))))
        document.add_text("subjects", " ".join(split_words(" ".join(card["subjects"]))))
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()


def _schema() -> Any:
    builder = tantivy.SchemaBuilder()
    for field in FIELD_BOOSTS:
        builder.add_text_field(field, index_option="freq")
    builder.add_unsigned_field("book_id", fast=True)
    builder.add_float_field("popularity", fast=True)
    return builder.build()


def _iterate(cards: pa.Table) -> Iterator[dict[str, Any]]:
    columns = ["book_id", "title", "authors", "subjects"]
    for batch in cards.select(columns).to_batches(max_chunksize=10_000):
        yield from batch.to_pylist()
