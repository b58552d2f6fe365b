"""A ranker reorders what the blend puts first, and nothing else."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from evidence.figures import Figures
from foundation.arrays import F32
from servers.als.model import AlsModel
from servers.als.new_books import NewBooks
from servers.als.ranker import BLEND, Ranker, build_features, count_higher, list_directions
from servers.als.trees import MAX_LEAVES, Trees
from tests.servers.tiny import BOOK_IDS, N, als_model

N_CANDIDATES = 4
MODEL = als_model(1)
KINDS = list(MODEL.evidence.kinds)
N_FEATURES = len(list_directions([True] * len(KINDS)))
HISTORY = BOOK_IDS[:2].tolist()
HISTORIES = st.sets(st.sampled_from(BOOK_IDS.tolist()), min_size=1, max_size=3)


def stump(feature: int, threshold: float, below: float, above: float, n_features: int = N_FEATURES) -> Trees:
    """One tree of one split."""
    reachable = np.full((1 + n_features, 1), 2**MAX_LEAVES - 1, dtype=np.uint16)
    reachable[feature + 1] -= 1
    values = np.zeros((1, MAX_LEAVES), dtype=np.float32)
    values[0, :2] = below, above
    starts = (np.arange(n_features + 1) > feature).astype(np.int64)
    return Trees(np.array([threshold]), starts, reachable, values)


def with_ranker(trees: Trees, kinds: list[str] = KINDS, blend_weight: float = 0.0) -> AlsModel:
    return replace(MODEL, ranker=Ranker(trees, N_CANDIDATES, kinds, blend_weight))


UPSIDE_DOWN = with_ranker(stump(BLEND, 0.0, 0, 0), blend_weight=-1.0)


def rank(model: AlsModel, history: list[int], k: int = N, **options: object) -> list[int]:
    ranked, scores = model.rank(history, [None] * len(history), k=k, **options)  # type: ignore[arg-type]
    assert (np.diff(scores) <= 0).all()
    return ranked.tolist()


@given(history=HISTORIES, k=st.integers(1, N))
def test_the_best_of_the_blend_are_reordered_and_all_others_stay(history: set[int], k: int) -> None:
    blended, reordered = rank(MODEL, sorted(history)), rank(UPSIDE_DOWN, sorted(history), k)

    assert reordered == [*blended[:N_CANDIDATES][::-1], *blended[N_CANDIDATES:]][:k]


def test_the_scores_are_those_of_the_blend_dealt_out_anew() -> None:
    _, before = MODEL.rank(HISTORY, [None, None], k=N)
    _, after = UPSIDE_DOWN.rank(HISTORY, [None, None], k=N)

    np.testing.assert_array_equal(before, after)


def test_a_share_of_popularity_that_a_client_names_is_that_of_the_blend() -> None:
    assert rank(UPSIDE_DOWN, HISTORY, popularity_weight=0.3) == rank(MODEL, HISTORY, popularity_weight=0.3)


def test_trees_that_find_nothing_keep_the_order_of_the_blend() -> None:
    assert rank(with_ranker(stump(BLEND, 0.0, 1, 1)), HISTORY) == rank(MODEL, HISTORY)


def test_a_kind_is_known_by_its_name_whatever_the_order_of_the_kinds() -> None:
    found = MODEL.find_candidates(HISTORY, [None, None], n=N_CANDIDATES, rating_strength=1.0)
    middle = float(found.features[:, 2 + KINDS.index("popularity")].mean())
    # Of the candidates the less read come first.
    first, last = (
        with_ranker(stump(2 + kinds.index("popularity"), middle, 1, 0), kinds)
        for kinds in (KINDS, KINDS[::-1])
    )

    assert rank(first, HISTORY) == rank(last, HISTORY) != rank(MODEL, HISTORY)


def test_a_ranker_finds_the_figures_that_it_was_trained_on_by_their_names() -> None:
    values = np.column_stack([np.zeros(N), np.arange(N)]).astype(np.float32)
    figures = [
        Figures(names, values[:, order]) for names, order in ((["a", "b"], [0, 1]), (["b", "a"], [1, 0]))
    ]
    models = [replace(MODEL, evidence=replace(MODEL.evidence, figures=each)) for each in figures]
    candidates = rank(MODEL, HISTORY)[:N_CANDIDATES]
    places = {book: BOOK_IDS.tolist().index(book) for book in candidates}
    middle = float(np.mean(list(places.values())))
    of_history = 0.5
    trees = stump(N_FEATURES, middle - of_history, 0, 1, n_features=N_FEATURES + 1)
    ranker = Ranker(trees, N_CANDIDATES, KINDS, 0.0, ["b"])

    reordered = [rank(replace(model, ranker=ranker), HISTORY)[:N_CANDIDATES] for model in models]

    expected = sorted(candidates, key=lambda book: places[book] <= middle)
    assert reordered == [expected, expected]
    assert expected != candidates


def test_a_ranker_of_before_there_were_figures_is_served_as_it_was() -> None:
    figures = Figures(["a"], np.arange(N, dtype=np.float32)[:, None])
    known = replace(UPSIDE_DOWN, evidence=replace(MODEL.evidence, figures=figures))

    assert rank(known, HISTORY) == rank(UPSIDE_DOWN, HISTORY)


def test_a_new_book_by_a_loved_author_comes_up_all_the_same() -> None:
    new = 3
    model = replace(UPSIDE_DOWN, new_books=NewBooks(np.array([new]), np.zeros(1, dtype=np.int64)))
    wrote = model.evidence.authors.book_authors.tolil()
    wrote[[0, 1, new], :] = 0
    wrote[[0, 1, new], 0] = 1
    evidence = replace(model.evidence, authors=type(model.evidence.authors)(wrote.tocsr()))

    assert BOOK_IDS[new] in rank(replace(model, evidence=evidence), HISTORY)[:10]


def test_candidates_are_described_as_they_are_when_they_are_reordered() -> None:
    seen = list[F32]()

    class Watched(Trees):
        def score(self, features: F32) -> F32:
            seen.append(features)
            return super().score(features)

    trees = stump(BLEND, 0.0, 0, 0)
    watched = Watched(trees.thresholds, trees.starts, trees.reachable, trees.leaf_values)
    rank(with_ranker(watched), HISTORY)

    found = MODEL.find_candidates(HISTORY, [None, None], n=N_CANDIDATES, rating_strength=1.0)

    np.testing.assert_array_equal(found.features, seen[0])
    assert BOOK_IDS[found.item_idx].tolist() == rank(MODEL, HISTORY)[:N_CANDIDATES]


def test_explanations_are_those_of_the_blend() -> None:
    asked = BOOK_IDS[2:5].tolist()

    explained = [model.explain(HISTORY, [9, None], asked, k=2) for model in (MODEL, UPSIDE_DOWN)]

    assert explained[0] == explained[1]


def test_features_are_scores_and_how_many_candidates_have_higher_ones() -> None:
    scores = np.array([[0.5, 0.0, 0.0], [0.0, 2.0, 3.0]], dtype=np.float32)

    blended, figures = (
        np.array([3.0, 2.0, 1.0], dtype=np.float32),
        np.array([[7], [8], [9]], dtype=np.float32),
    )

    features = build_features(scores, blended, n_read=0, figures=figures)

    assert features.tolist() == [
        [3, 0, 0.5, 0, 0, 2, 0, 7],
        [2, 1, 0, 2, 1, 1, 0, 8],
        [1, 2, 0, 3, 1, 0, 0, 9],
    ]
    assert len(list_directions([True, False], 1)) == features.shape[1]
    assert count_higher(np.array([1.0, 2.0, 1.0], dtype=np.float32)).tolist() == [1, 0, 1]
