"""Writes the index of words that keyword search reads."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import tantivy

from foundation.arrays import F32, I64
from foundation.text import join_letters, split_words
from servers.metadata.text_index import ABOUT, FIELD_BOOSTS, split_stems

POPULARITY_SHARE: Final = 0.25
"""The most popular book's score is multiplied by log2(2 + this) = 1.17: enough to order equals, too little
for a typo in a title (1.2 · 1.5 · 1.17) to pass a beginning among the subjects (3)."""
WRITER_HEAP_BYTES: Final = 64_000_000


def build_text_index(cards: pa.Table, popularity: F32, path: Path) -> None:
    """Write the text index of these n cards, whose popularity is (n,) in [0, 1], into an empty folder."""
    _write(tantivy.Index(_schema(), path=str(path)), np.empty(0, dtype=np.int64), cards, popularity)


def renew_text_index(former: Path, path: Path, outdated: I64, cards: pa.Table, popularity: F32) -> None:
    """Write a text index as a former one without the outdated book_ids and with these cards, as above.

    What the former one has is linked: the files of an index never change, but for those that are replaced.
    """
    shutil.copytree(former, path, copy_function=_link, ignore=shutil.ignore_patterns("*.lock"))
    index = tantivy.Index.open(str(path))
    _write(index, outdated, cards, popularity)


def _link(source: str, link: str) -> None:
    Path(link).symlink_to(Path(source).resolve())


def _write(index: tantivy.Index, outdated: I64, cards: pa.Table, popularity: F32) -> None:
    writer = index.writer(heap_size=WRITER_HEAP_BYTES, num_threads=1)
    for book_id in outdated.tolist():
        # The ids are a column, not words: a range of them is found, a term is not.
        kind = tantivy.FieldType.Unsigned
        writer.delete_documents_by_query(
            tantivy.Query.range_query(index.schema, "book_id", kind, book_id, book_id)
        )
    for card, popular in zip(_iterate(cards), popularity.tolist(), strict=True):
        writer.add_document(_build_document(card, popular))
    writer.commit()
    writer.wait_merging_threads()


def _build_document(card: dict[str, Any], popularity: float) -> tantivy.Document:
    document = tantivy.Document()
    document.add_unsigned("book_id", card["book_id"])
    document.add_float("popularity", POPULARITY_SHARE * popularity)
    texts = [card["title"], " ".join(card["authors"]), " ".join(card["subjects"])]
    for field, text in zip(FIELD_BOOSTS, texts, strict=True):
        document.add_text(field, " ".join(_index_words(text)))
    texts.append(card.get("description") or "")
    document.add_text(ABOUT, " ".join(split_stems(" ".join(texts))))
    return document


def _index_words(text: str) -> list[str]:
    """The words of a text, and single letters that follow each other as one word too."""
    words = split_words(text)
    return [*words, *(word for word in join_letters(words) if word not in words)]


def _schema() -> Any:
    builder = tantivy.SchemaBuilder()
    for field in (*FIELD_BOOSTS, ABOUT):
        builder.add_text_field(field, index_option="freq")
    builder.add_unsigned_field("book_id", fast=True)
    builder.add_float_field("popularity", fast=True)
    return builder.build()


def _iterate(cards: pa.Table) -> Iterator[dict[str, Any]]:
    columns = {"book_id", "title", "authors", "subjects", "description"}.intersection(cards.column_names)
    for batch in cards.select(sorted(columns)).to_batches(max_chunksize=10_000):
        yield from batch.to_pylist()
