import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from servers.embedder import model as embedder
from servers.embedder.model import EmbedderModel
from servers.errors import NoKnownSubjects

DIM, NAMES = 6, ["Space", "Soup", "Élan", "War"]
RNG = np.random.default_rng(3)
MODEL = EmbedderModel(
    subjects=NAMES,
    embeddings=RNG.normal(size=(4, DIM)).astype(np.float32),
    attention_weight=RNG.normal(size=(DIM, DIM)).astype(np.float32),
    attention_bias=RNG.normal(size=DIM).astype(np.float32),
)


def slow_pool(subject_idx: list[int]) -> np.ndarray:
    values = MODEL.embeddings[subject_idx].astype(np.float64)
    exponents = np.exp(values @ MODEL.attention_weight + MODEL.attention_bias)
    vector = (exponents / exponents.sum(axis=0) * values).sum(axis=0)
    return vector / np.linalg.norm(vector)


@given(st.sets(st.integers(0, 3), min_size=1))
def test_a_set_is_pooled_by_attention_over_each_dimension(chosen: set[int]) -> None:
    vector, known, unknown = MODEL.embed([NAMES[idx] for idx in chosen])

    np.testing.assert_allclose(vector, slow_pool(sorted(chosen)), rtol=1e-4, atol=1e-5)
    assert (set(known), unknown) == ({NAMES[idx] for idx in chosen}, [])


def test_case_order_and_repetition_do_not_matter() -> None:
    expected, known, _ = MODEL.embed(["Space", "Élan"])

    vector, spelled, _ = MODEL.embed(["éLAN", "space", "SPACE"])

    np.testing.assert_array_equal(vector, expected)
    assert spelled == known == ["Space", "Élan"]


def test_unknown_subjects_are_named_and_left_out() -> None:
    vector, known, unknown = MODEL.embed(["Soup", "Quidditch"])

    assert (known, unknown) == (["Soup"], ["Quidditch"])
    np.testing.assert_array_equal(vector, MODEL.embed(["Soup"])[0])


def test_only_unknown_subjects_are_refused() -> None:
    with pytest.raises(NoKnownSubjects) as refusal:
        MODEL.embed(["Quidditch"])

    assert refusal.value.unknown == ["Quidditch"]


@given(st.lists(st.lists(st.integers(0, 3), max_size=4, unique=True), max_size=12))
def test_pooling_many_sets_in_blocks_equals_pooling_each(sets: list[list[int]]) -> None:
    offsets = np.concatenate([[0], np.cumsum([len(each) for each in sets])]).astype(np.int64)
    flat = np.array([idx for each in sets for idx in each], dtype=np.int64)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedder, "SETS_PER_BLOCK", 3)
        pooled = MODEL.pool_sets(offsets, flat)

    for row, each in zip(pooled, sets, strict=True):
        np.testing.assert_allclose(row, slow_pool(each) if each else np.zeros(DIM), rtol=1e-4, atol=1e-5)


def test_large_logits_do_not_overflow() -> None:
    steep = EmbedderModel(NAMES, MODEL.embeddings, 1000 * MODEL.attention_weight, MODEL.attention_bias)

    assert np.isfinite(steep.embed(NAMES)[0]).all()
