import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from pipeline.models.text_encoder import fit_text_encoder
from servers.semantic.model import split_terms

WORDS = ["dragon", "castle", "knight", "rocket", "planet", "alien", "soup", "bread", "kitchen"]
RNG = np.random.default_rng(0)
TEXTS = [" ".join(RNG.choice(WORDS[3 * (row % 3) : 3 * (row % 3) + 3], 6)) for row in range(60)]


def test_the_encoder_equals_the_libraries_that_fitted_it() -> None:
    encoder = fit_text_encoder(TEXTS, dim=4, max_terms=100, seed=0)

    weights = TfidfVectorizer(analyzer=split_terms, min_df=2, sublinear_tf=True).fit_transform(TEXTS)
    expected = TruncatedSVD(n_components=4, random_state=0).fit(weights).transform(weights)
    np.testing.assert_allclose(np.abs(encoder.encode(TEXTS)), np.abs(expected), atol=1e-3)


def test_texts_of_one_topic_are_near_and_of_two_are_not() -> None:
    encoder = fit_text_encoder(TEXTS, dim=4, max_terms=100, seed=0)

    near, far = encoder.encode(["a knight and a dragon", "castles"]), encoder.encode(["soups", "aliens"])

    assert near[0] @ near[1] > 0.4
    assert abs(far[0] @ far[1]) < 0.1


def test_few_texts_give_fewer_dimensions() -> None:
    assert fit_text_encoder(TEXTS[:6], dim=256, max_terms=100, seed=0).dim == 5
