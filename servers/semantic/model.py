"""Finds books for a sentence: a text encoder, and an index over the encoded texts of all books."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from foundation.arrays import F32, I64
from foundation.text import STOP_WORDS, to_ascii
from servers.graph import VectorGraph

WORD: Final = re.compile(r"[a-z0-9]{2,}")


def split_terms(text: str) -> Iterator[str]:
    """Telling words of a text: lower case, no accents, plurals folded (Harman's S-stemmer, 1991)."""
    words = WORD.findall(to_ascii(text.lower()))
    return (_strip_plural(word) for word in words if word not in STOP_WORDS)


@dataclass(frozen=True, eq=False)
class TfidfSvdEncoder:
    """TF-IDF, (1 + log tf) · idf, projected on the leading singular vectors; needs no download.

    A vector is as long as the share of its text that the projection keeps, so that inner products approach
    the cosines of TF-IDF. Brought to unit length, a text of which hardly anything is kept would be made of
    what chance has left, and near to any other such text.
    """

    terms: list[str]
    idf: F32
    """(n_terms,)."""
    components: F32
    """(n_terms, dim): right singular vectors as columns, so that a text touches its own terms' rows only."""

    @property
    def dim(self) -> int:
        return int(self.components.shape[1])

    def encode(self, texts: Sequence[str]) -> F32:
        """(n_texts, dim), rows of at most unit length; zero for a text without a known term."""
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        for row, text in enumerate(texts):
            counts = Counter(
                idx for term in split_terms(text) if (idx := self._columns.get(term)) is not None
            )
            if not counts:
                continue
            columns = np.fromiter(counts, dtype=np.int64, count=len(counts))
            tf = 1 + np.log(np.fromiter(counts.values(), dtype=np.float32, count=len(counts)))
            weights = tf * self.idf[columns]
            vectors[row] = weights / np.linalg.norm(weights) @ self.components[columns]
        return vectors

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {term: column for column, term in enumerate(self.terms)}


@dataclass(frozen=True, eq=False)
class SemanticModel:
    """The texts' vectors in an inner-product graph, whose row i is book_ids[i]."""

    book_ids: I64
    encoder: TfidfSvdEncoder
    text_index: VectorGraph

    def search(self, text: str, k: int) -> tuple[I64, F32]:
        """The k books whose texts are nearest to this one, ids and scores up to 1, best first, ties by id.

        Empty if the encoder knows no word of the text.
        """
        query = self.encoder.encode([text])[0]
        if not query.any() or not self.book_ids.size:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
        scores, rows = self.text_index.search(query, k)
        order = np.lexsort((rows, -scores))
        return self.book_ids[rows[order]], scores[order]


def _strip_plural(word: str) -> str:
    if len(word) > 3 and word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("es") and not word.endswith(("aes", "ees", "oes")):
        return word[:-1]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("us", "ss")):
        return word[:-1]
    return word
