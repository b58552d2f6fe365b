import numpy as np
import pytest

from pipeline.models.vector_index import build_graph
from pipeline.settings import IndexParams
from servers.semantic.model import SemanticModel, TfidfSvdEncoder, split_terms

TERMS = ["dragon", "garden", "spaceship", "wizard"]
ENCODER = TfidfSvdEncoder(
    terms=TERMS,
    idf=np.array([1, 2, 3, 4], dtype=np.float32),
    components=np.eye(4, dtype=np.float32)[:, :3].copy(),
)


def make_model(texts: list[str]) -> SemanticModel:
    graph = build_graph(ENCODER.encode(texts), IndexParams(hnsw_links=8, ef_construction=40, ef_search=16))
    return SemanticModel(np.arange(len(texts)) + 100, ENCODER, graph)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Dragons & WIZARDS", ["dragon", "wizard"]),
        ("Fairies' glass houses, a bus", ["fairy", "glass", "house", "bus"]),
        ("Élan vital", ["elan", "vital"]),
        ("Of the dragon who was with us", ["dragon"]),
        ("?!", []),
    ],
)
def test_terms_are_telling_words_without_case_accent_or_plural(text: str, terms: list[str]) -> None:
    assert list(split_terms(text)) == terms


def test_a_text_is_weighed_by_tf_idf_brought_to_unit_length_and_projected() -> None:
    vector = ENCODER.encode(["a dragon, a dragon, a garden, a wizard"])[0]

    expected = np.array([(1 + np.log(2)) * 1, 1 * 2, 0, 4])
    np.testing.assert_allclose(vector, expected[:3] / np.linalg.norm(expected), rtol=1e-6)


def test_a_text_of_which_the_projection_keeps_little_is_near_to_nothing() -> None:
    model = make_model(["wizard wizard dragon", "dragon garden"])

    book_ids, scores = model.search("dragon", k=2)

    assert book_ids.tolist() == [101, 100]
    assert scores[1] < 0.2


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
