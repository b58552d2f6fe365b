import numpy as np
import pytest

from servers.graph import build_graph
from servers.semantic.model import SemanticModel, TfidfSvdEncoder, split_terms

TERMS = ["dragon", "garden", "spaceship", "wizard"]
ENCODER = TfidfSvdEncoder(
    terms=TERMS,
    idf=np.array([1, 2, 3, 4], dtype=np.float32),
    components=np.eye(4, dtype=np.float32)[:, :3].copy(),
)


def make_model(texts: list[str]) -> SemanticModel:
    graph = build_graph(ENCODER.encode(texts), links=8, ef_construction=40, ef_search=16)
    return SemanticModel(np.arange(len(texts)) + 100, ENCODER, graph)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Dragons & WIZARDS", ["dragon", "wizard"]),
        ("Fairies' glass houses, a bus", ["fairy", "glass", "house", "bus"]),
        ("Élan vital", ["elan", "vital"]),
        ("?!", []),
    ],
)
def test_terms_have_no_case_accent_or_plural(text: str, terms: list[str]) -> None:
    assert list(split_terms(text)) == terms


def test_a_text_is_weighed_by_tf_idf_projected_and_brought_to_unit_length() -> None:
    vector = ENCODER.encode(["a dragon, a dragon, a garden"])[0]

    expected = np.array([(1 + np.log(2)) * 1, 1 * 2, 0])
    np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), rtol=1e-6)


def test_a_text_without_a_known_term_is_the_zero_vector() -> None:
    assert not ENCODER.encode(["nothing here"]).any()


def test_search_finds_the_nearest_texts_first_and_breaks_ties_by_id() -> None:
    model = make_model(["garden", "dragon", "dragon garden", "dragon"])

    book_ids, scores = model.search("Dragons", k=3)

    assert book_ids.tolist() == [101, 103, 102]
    assert scores[:2] == pytest.approx([1.0, 1.0])


def test_search_for_unknown_words_finds_nothing() -> None:
    book_ids, scores = make_model(["garden"]).search("xyzzy", k=3)

    assert book_ids.size == scores.size == 0


def test_search_gives_no_more_books_than_there_are() -> None:
    book_ids, _ = make_model(["garden", "dragon"]).search("garden", k=10)

    assert book_ids.tolist() == [100, 101]
