"""Keyword search over titles, authors and subjects: exact words, then beginnings, then one typo a word."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import tantivy
from tantivy import Occur, Query

from foundation.arrays import F32, I64
from foundation.text import strip_accents

FIELD_BOOSTS: Final = {"title": 1.5, "authors": 1.5, "subjects": 1.0}
EXACT, PREFIX, TYPO = 4.0, 3.0, 1.2
"""Points for a match of each kind."""
POPULARITY_SHARE: Final = 0.25
"""The most popular book's score is multiplied by log2(2 + this) = 1.17: enough to order equals, too little
for a typo in a title (1.2 · 1.5 · 1.17) to pass a beginning among the subjects (3)."""
MIN_PREFIX_LENGTH: Final = 3
MIN_TYPO_LENGTH: Final = 4
"""Shorter words are one typo away from too many others."""
MAX_WORDS: Final = 16
"""Words of a query that count; each costs about a millisecond at 250,000 books."""
WRITER_HEAP_BYTES: Final = 64_000_000

WORD: Final = re.compile(r"[^\W_]+")
INITIALS: Final = re.compile(r"\b(?:[^\W\d_]\.\s?){2,}")
"""Two letters or more with a full stop each: J.R.R. Tolkien, J. K. Rowling."""
APOSTROPHES: Final = str.maketrans("", "", "'’‘")


def build_text_index(cards: pa.Table, popularity: F32, path: Path) -> None:
    """Write the text index of these n cards, whose popularity is (n,) in [0, 1], into an empty folder."""
    schema = _schema()
    writer = tantivy.Index(schema, path=str(path)).writer(heap_size=WRITER_HEAP_BYTES, num_threads=1)
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


def split_words(text: str) -> list[str]:
    """Words in lower case, without accents and apostrophes: the same for a title as for a query.

    Initials are one word, as readers type them: "jrr tolkien".
    """
    joined = INITIALS.sub(lambda initials: re.sub(r"[.\s]", "", initials[0]) + " ", text)
    return WORD.findall(strip_accents(joined.translate(APOSTROPHES)).casefold())


class TextIndex:
    """A text index, opened for reading."""

    def __init__(self, path: Path) -> None:
        index = tantivy.Index.open(str(path))
        # A version never changes, so nobody needs to watch its folder.
        index.config_reader(reload_policy="manual")
        self._schema = index.schema
        self._searcher = index.searcher()

    def search(self, text: str, k: int) -> tuple[I64, F32]:
        """Ids and scores of the k books that match best, best first, ties by id."""
        words = list(dict.fromkeys(split_words(text)))[:MAX_WORDS]
        query = Query.boolean_query([(Occur.Should, self._match(word)) for word in words])
        # `weight_by_field` multiplies each score by log2(2 + popularity).
        hits = self._searcher.search(query, k, count=False, weight_by_field="popularity").hits
        book_ids = self._searcher.fast_field_values("book_id", [address for _, address in hits])
        found = np.array(book_ids, dtype=np.int64)
        scores = np.array([score for score, _ in hits], dtype=np.float32)
        order = np.lexsort((found, -scores))
        return found[order], scores[order]

    def _match(self, word: str) -> Query:
        """One word: its best match, weighed by how rare it is; a short title or name wins among equals."""
        rarity = self._rarity(word)
        matches = [
            Query.const_score_query(query, points * boost * rarity)
            for field, boost in FIELD_BOOSTS.items()
            for points, query in self._kinds(field, word)
        ]
        best = Query.disjunction_max_query(matches)
        # BM25 falls with the length of a field: "rebecca" is all of a title, "stephen king" all of a name.
        length_bonus = Query.disjunction_max_query(
            [Query.term_query(self._schema, field, word) for field in ("title", "authors")]
        )
        return Query.boolean_query([(Occur.Should, best), (Occur.Should, length_bonus)])

    def _kinds(self, field: str, word: str) -> Iterator[tuple[float, Query]]:
        yield EXACT, Query.term_query(self._schema, field, word)
        if len(word) >= MIN_PREFIX_LENGTH:
            yield PREFIX, Query.fuzzy_term_query(self._schema, field, word, distance=0, prefix=True)
        if len(word) >= MIN_TYPO_LENGTH:
            yield TYPO, Query.fuzzy_term_query(self._schema, field, word, distance=1)

    def _rarity(self, word: str) -> float:
        """log(1 + books / books with the word), so that `the` decides nothing."""
        n_with = max(self._searcher.doc_freq(field, word) for field in FIELD_BOOSTS)
        return float(np.log1p(self._searcher.num_docs / max(n_with, 1)))


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
