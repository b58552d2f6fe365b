"""Keyword search over titles, authors and subjects: exact words, then beginnings, then one typo a word."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import tantivy
from tantivy import Occur, Query

from artifacts.formats import Folder
from foundation.arrays import F32, I64
from foundation.text import split_words

FIELD_BOOSTS: Final = {"title": 1.5, "authors": 1.5, "subjects": 1.0}
EXACT, PREFIX, TYPO = 4.0, 3.0, 1.2
"""Points for a match of each kind."""
MIN_PREFIX_LENGTH: Final = 3
MIN_TYPO_LENGTH: Final = 4
"""Shorter words are one typo away from too many others."""
MAX_WORDS: Final = 16
"""Words of a query that count; each costs about a millisecond at 250,000 books."""


@dataclass(frozen=True)
class TextIndex(Folder):
    """A text index in its folder, opened by the first search."""

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

    @cached_property
    def _index(self) -> tantivy.Index:
        index = tantivy.Index.open(str(self.path))
        # A version never changes, so nobody needs to watch its folder.
        index.config_reader(reload_policy="manual")
        return index

    @cached_property
    def _searcher(self) -> tantivy.Searcher:
        return self._index.searcher()

    @cached_property
    def _schema(self) -> tantivy.Schema:
        return self._index.schema

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
