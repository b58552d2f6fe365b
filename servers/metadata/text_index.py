"""Keyword search: exact words, then beginnings, then one typo a word; of a question, most of its words.

Titles, authors and subjects are searched for every word. More words than a title has are a question: hardly
any book has them all, so that after those that do come the books whose texts have most of the telling ones.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import tantivy
from tantivy import Filter, Occur, Query, TextAnalyzerBuilder, Tokenizer

from artifacts.formats import Folder
from foundation.arrays import F32, I64
from foundation.text import STOP_WORDS, join_letters, split_words

FIELD_BOOSTS: Final = {"title": 1.5, "authors": 1.5, "subjects": 1.0}
EXACT, PREFIX, TYPO = 4.0, 3.0, 1.2
"""Points for a match of each kind."""
MIN_PREFIX_LENGTH: Final = 3
MIN_LAST_PREFIX_LENGTH: Final = 2
"""Of the last word, which may be being typed."""
MIN_TYPO_LENGTH: Final = 4
"""Shorter words are one typo away from too many others."""
MAX_WORDS: Final = 16
"""Words of a query that count; each costs about a millisecond at 250,000 books."""
LONGEST_TITLE: Final = 5
"""Different words; more are a question, unless one title has them all."""
ABOUT: Final = "about"
"""The field of all stems of a book's title, authors, subjects and description, which 0.2.0 did not write."""
_STEMS: Final = TextAnalyzerBuilder(Tokenizer.whitespace()).filter(Filter.stemmer("english")).build()

Hits = tuple[I64, F32]


def split_stems(text: str) -> list[str]:
    """Telling words of a text without their endings."""
    stems: list[str] = _STEMS.analyze(" ".join(word for word in split_words(text) if word not in STOP_WORDS))
    return stems


@dataclass(frozen=True)
class TextIndex(Folder):
    """A text index in its folder, opened by the first search."""

    def search(self, text: str, k: int) -> Hits:
        """Ids and scores of the k books that match best, best first, ties by id."""
        words = list(dict.fromkeys(join_letters(split_words(text))))[:MAX_WORDS]
        telling = [word for word in words if word not in STOP_WORDS] or words
        if len(words) <= LONGEST_TITLE:
            return self._find(list(self._match_as_typed(words)), k)
        rest = [(Occur.Should, self._match(word)) for word in words if word not in telling]
        with_all = self._find([*((Occur.Must, self._match(word)) for word in telling), *rest], k)
        if with_all[0].size == k:
            return with_all
        return _append(with_all, self._find([(Occur.Should, query) for query in self._about(telling)], k), k)

    def list_ids(self) -> I64:
        """Ids of all books that it knows, ascending."""
        n_books = self._searcher.num_docs
        if not n_books:
            return np.empty(0, dtype=np.int64)
        hits = self._searcher.search(Query.all_query(), n_books, count=False).hits
        book_ids = self._searcher.fast_field_values("book_id", [address for _, address in hits])
        return np.sort(np.array(book_ids, dtype=np.int64))

    def _find(self, parts: list[tuple[Occur, Query]], k: int) -> Hits:
        # `weight_by_field` multiplies each score by log2(2 + popularity).
        query = Query.boolean_query(parts)
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

    @cached_property
    def _has_about(self) -> bool:
        try:
            self._searcher.doc_freq(ABOUT, "")
        except ValueError:
            return False
        return True

    def _about(self, words: Sequence[str]) -> Iterator[Query]:
        """One query a word, for books whose texts have it: rare words and short texts count most (BM25)."""
        if not self._has_about:
            yield from map(self._match, words)
            return
        for stem in dict.fromkeys(split_stems(" ".join(words))):
            if len(stem) < MIN_TYPO_LENGTH or self._searcher.doc_freq(ABOUT, stem):
                yield Query.term_query(self._schema, ABOUT, stem)
            else:
                yield Query.fuzzy_term_query(self._schema, ABOUT, stem, distance=1)

    def _match_as_typed(self, words: Sequence[str]) -> Iterator[tuple[Occur, Query]]:
        for at, word in enumerate(words, start=1):
            shortest = MIN_LAST_PREFIX_LENGTH if at == len(words) else MIN_PREFIX_LENGTH
            yield Occur.Should, self._match(word, shortest)

    def _match(self, word: str, shortest_prefix: int = MIN_PREFIX_LENGTH) -> Query:
        """One word: its best match, weighed by how rare it is; a short title or name wins among equals."""
        rarity = self._rarity(word)
        matches = [
            Query.const_score_query(query, points * boost * rarity)
            for field, boost in FIELD_BOOSTS.items()
            for points, query in self._kinds(field, word, shortest_prefix)
        ]
        best = Query.disjunction_max_query(matches)
        # BM25 falls with the length of a field: "rebecca" is all of a title, "stephen king" all of a name.
        length_bonus = Query.disjunction_max_query(
            [Query.term_query(self._schema, field, word) for field in ("title", "authors")]
        )
        return Query.boolean_query([(Occur.Should, best), (Occur.Should, length_bonus)])

    def _kinds(self, field: str, word: str, shortest_prefix: int) -> Iterator[tuple[float, Query]]:
        yield EXACT, Query.term_query(self._schema, field, word)
        if len(word) >= shortest_prefix:
            yield PREFIX, Query.fuzzy_term_query(self._schema, field, word, distance=0, prefix=True)
        if len(word) >= MIN_TYPO_LENGTH:
            yield TYPO, Query.fuzzy_term_query(self._schema, field, word, distance=1)

    def _rarity(self, word: str) -> float:
        """log(1 + books / books with the word), so that `the` decides nothing."""
        n_with = max(self._searcher.doc_freq(field, word) for field in FIELD_BOOSTS)
        return float(np.log1p(self._searcher.num_docs / max(n_with, 1)))


def _append(first: Hits, others: Hits, k: int) -> Hits:
    """The first k of both, each book once; the others' scores are lowered to go on where the first end."""
    is_new = ~np.isin(others[0], first[0])
    book_ids, scores = others[0][is_new], others[1][is_new]
    if first[0].size and scores.size:
        scores = scores * min(1, first[1][-1] / scores[0])
    return np.concatenate((first[0], book_ids))[:k], np.concatenate((first[1], scores))[:k]
