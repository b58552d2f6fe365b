import dataclasses

import faiss
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array

from artifacts.records import open_record, save_record
from contracts.similarity import SimilarMode
from servers.errors import BookUnknown, VectorMissing, VectorUnfit
from servers.similarity.model import SimilarityModel
from tests.servers.tiny import BOOK_IDS, CLUBS, DIM, SOUP_IDS, SPACE_IDS, N, club_vectors, similarity_model

MODEL = similarity_model(seed=3)
SUBJECT, ALS = (club_vectors(seed).astype(np.float16).astype(np.float64) for seed in (1, 3))
"""As they are kept, in 16 bits."""
UNIT = np.eye(DIM)[0].tolist()


def exact(query_row: int, weight: float) -> NDArray[np.float64]:
    """(N,): the published mixture of cosines, in float64."""
    mixed: NDArray[np.float64] = (1 - weight) * SUBJECT @ SUBJECT[query_row] + weight * ALS @ ALS[query_row]
    return mixed


@pytest.mark.parametrize(("mode", "weight"), [("als", 1.0), ("subject", 0.0)])
def test_similar_books_are_of_the_same_club(mode: str, weight: float) -> None:
    book_ids, scores = MODEL.similar(SPACE_IDS[0], mode=mode, weight=0.5, k=5)  # type: ignore[arg-type]

    assert sorted(book_ids) == SPACE_IDS[1:]
    expected = np.sort(exact(0, weight)[1:6])[::-1]
    np.testing.assert_allclose(scores, expected, atol=1e-6)


@given(row=st.integers(0, N - 1), weight=st.floats(0, 1), k=st.integers(1, N + 3))
def test_a_hybrid_of_any_weight_is_exact(row: int, weight: float, k: int) -> None:
    book_ids, scores = MODEL.similar(int(BOOK_IDS[row]), mode="hybrid", weight=weight, k=k)

    mixed = exact(row, weight)
    best = np.sort(np.delete(mixed, row))[::-1][:k]
    np.testing.assert_allclose(scores, best, atol=1e-6)
    np.testing.assert_allclose(mixed[np.searchsorted(BOOK_IDS, book_ids)], scores, atol=1e-6)
    assert BOOK_IDS[row] not in book_ids


@given(
    exclude=st.sets(st.sampled_from([*BOOK_IDS.tolist(), 5])),
    mode=st.sampled_from(["als", "subject", "hybrid"]),
)
def test_all_books_but_the_excluded_come_back_once_best_first(exclude: set[int], mode: str) -> None:
    book_ids, scores = MODEL.similar(
        SPACE_IDS[0],
        mode=mode,  # type: ignore[arg-type]
        weight=0.3,
        k=N,
        exclude=sorted(exclude),
    )

    assert sorted(book_ids) == sorted(set(BOOK_IDS.tolist()) - exclude - {SPACE_IDS[0]})
    assert (np.diff(scores) <= 0).all()


def test_a_book_without_the_vector_asked_for_has_nothing_near_it_and_is_near_nothing() -> None:
    model = similarity_model(seed=3, without_als=2)
    lonely = SPACE_IDS[2]

    with pytest.raises(VectorMissing):
        model.similar(lonely, mode="als", weight=0.5, k=3)
    with pytest.raises(VectorMissing):
        model.similar(lonely, mode="hybrid", weight=1.0, k=3)
    by_subject, _ = model.similar(lonely, mode="hybrid", weight=0.5, k=5)
    of_another, _ = model.similar(SPACE_IDS[0], mode="als", weight=0.5, k=N)

    assert sorted(by_subject) == sorted(set(SPACE_IDS) - {lonely})
    assert sorted(of_another) == sorted(set(BOOK_IDS.tolist()) - {lonely, SPACE_IDS[0]})


def test_equal_books_come_in_the_order_of_their_ids() -> None:
    twins = np.tile(club_vectors(1)[:1], (N, 1))
    flat = faiss.IndexFlatIP(2 * DIM)
    flat.add(np.hstack([twins, twins]))
    model = dataclasses.replace(MODEL, hybrid_index=flat)

    book_ids, _ = model.similar(SPACE_IDS[3], mode="hybrid", weight=0.5, k=N)

    assert book_ids.tolist() == [book_id for book_id in BOOK_IDS if book_id != SPACE_IDS[3]]


def test_nearest_agrees_with_scores_and_lists_every_book() -> None:
    book_ids, scores = MODEL.nearest(UNIT, k=N + 5)

    assert book_ids.size == N
    assert set(book_ids[:6].tolist()) == set(SPACE_IDS)
    np.testing.assert_allclose(scores, MODEL.scores(UNIT, book_ids.tolist()), atol=1e-6)
    np.testing.assert_allclose(scores, np.sort(SUBJECT @ UNIT)[::-1], atol=1e-6)


def test_scores_keep_the_order_asked_and_give_an_unknown_book_nothing() -> None:
    scores = MODEL.scores(UNIT, [SOUP_IDS[0], 5, SPACE_IDS[0], SOUP_IDS[0]])

    rows = [int(np.flatnonzero(CLUBS)[0]), 0]
    np.testing.assert_allclose(scores[[0, 2]], (SUBJECT @ UNIT)[rows], atol=1e-6)
    assert scores[1] == 0
    assert scores[3] == scores[0]


def test_unknown_books_and_unfit_vectors_are_refused() -> None:
    with pytest.raises(BookUnknown):
        MODEL.similar(5, mode="als", weight=0.5, k=1)
    for call in (lambda: MODEL.nearest([1.0], k=1), lambda: MODEL.scores([1.0], [11])):
        with pytest.raises(VectorUnfit):
            call()


def test_a_saved_model_answers_alike_from_mapped_files(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("model")
    save_record(MODEL, folder)

    opened = open_record(SimilarityModel, folder)

    for mode in ("als", "subject", "hybrid"):
        here = MODEL.similar(22, mode=mode, weight=0.4, k=4, exclude=[33])  # type: ignore[arg-type]
        there = opened.similar(22, mode=mode, weight=0.4, k=4, exclude=[33])  # type: ignore[arg-type]
        assert here[0].tolist() == there[0].tolist()
        assert here[1].tolist() == there[1].tolist()


RELATED = csr_array(np.round(np.random.default_rng(5).random((N, N)) * (1 - np.eye(N)), 1).astype("f4"))
BLENDING = dataclasses.replace(MODEL, related=RELATED)


@given(
    row=st.integers(0, N - 1), k=st.integers(1, N + 3), exclude=st.sets(st.sampled_from(BOOK_IDS.tolist()))
)
def test_a_blend_is_exact(row: int, k: int, exclude: set[int]) -> None:
    asked = int(BOOK_IDS[row])

    book_ids, scores = BLENDING.similar(asked, mode="blend", weight=1, k=k, exclude=sorted(exclude))

    blended = exact(row, 0.5) + RELATED.toarray()[row]
    left = ~np.isin(BOOK_IDS, [asked, *exclude])
    np.testing.assert_allclose(scores, np.sort(blended[left])[::-1][:k], atol=1e-6)
    np.testing.assert_allclose(blended[np.searchsorted(BOOK_IDS, book_ids)], scores, atol=1e-6)
    assert not {asked, *exclude} & set(book_ids.tolist())


def test_item_item_is_what_is_related_and_nothing_else() -> None:
    few = csr_array(([0.5, 0.9], ([0, 0], [2, 4])), shape=(N, N), dtype=np.float32)
    model = dataclasses.replace(MODEL, related=few)

    book_ids, scores = model.similar(int(BOOK_IDS[0]), mode="item-item", weight=0.5, k=N)

    assert book_ids.tolist() == BOOK_IDS[[4, 2]].tolist()
    np.testing.assert_allclose(scores, [0.9, 0.5], rtol=1e-6)
    with pytest.raises(VectorMissing):
        model.similar(int(BOOK_IDS[1]), mode="item-item", weight=0.5, k=3)


@pytest.mark.parametrize("mode", ["blend", "item-item"])
def test_a_version_of_a_former_release_knows_nothing_related(mode: SimilarMode) -> None:
    former = dataclasses.replace(MODEL, related=None)

    with pytest.raises(VectorMissing):
        former.similar(SPACE_IDS[0], mode=mode, weight=0.5, k=5)


def test_a_book_without_any_vector_is_like_its_authors_books() -> None:
    bare = similarity_model(seed=3, without_als=0)
    bare.hybrid_index.reset()
    vectors = np.hstack([SUBJECT, ALS]).astype("f4")
    vectors[0] = 0
    bare.hybrid_index.add(vectors)
    by_author = csr_array(([0.3], ([0], [1])), shape=(N, N), dtype=np.float32)

    book_ids, _ = dataclasses.replace(bare, related=by_author).similar(
        int(BOOK_IDS[0]), mode="blend", weight=0.5, k=5
    )

    assert book_ids.tolist() == [BOOK_IDS[1]]
