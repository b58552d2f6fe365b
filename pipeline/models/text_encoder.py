"""Fits the embedded text encoder: TF-IDF and truncated SVD over the books' own texts."""

from collections.abc import Sequence

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from servers.semantic.model import TfidfSvdEncoder, split_terms

MIN_BOOKS = 2
"""A term of one book relates it to no other."""


def fit_text_encoder(texts: Sequence[str], *, dim: int, max_terms: int, seed: int) -> TfidfSvdEncoder:
    """The encoder of these texts; fewer dimensions than asked if there are few texts or terms."""
    vectorizer = TfidfVectorizer(
        analyzer=split_terms, min_df=MIN_BOOKS, max_features=max_terms, sublinear_tf=True, dtype=np.float32
    )
    weights = vectorizer.fit_transform(texts)
    dim = min(dim, min(weights.shape) - 1)
    svd = TruncatedSVD(n_components=dim, random_state=seed).fit(weights)
    return TfidfSvdEncoder(
        terms=vectorizer.get_feature_names_out().tolist(),
        idf=vectorizer.idf_.astype(np.float32),
        components=np.ascontiguousarray(svd.components_.T, dtype=np.float32),
    )
