"""Lists from candidates are those of all books."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from evidence import als, popularity
from evidence.als import AlsParams
from evidence.ease import EaseParams
from evidence.kind import TrainingData
from evidence.neighbours import NeighboursParams
from evidence.registry import Evidence, EvidenceParams
from foundation.tools import Tools
from servers.als import candidates
from servers.als.model import AlsModel
from servers.als.new_books import NewBooks
from servers.als.newcomers import Newcomers, Told

N_BOOKS, N_READERS, N_CLUBS = 2000, 3000, 20
N_LONGEST, N_POPULAR = 256, 100
K = 30
TOOLS = Tools(threads=1, advance=lambda share: None, workspace=Path())


def draw_readers(rng: np.random.Generator) -> csr_array:
    """(N_READERS, N_BOOKS): each reads of two clubs, and of each club some books far more than others."""
    appeal = rng.permutation(np.arange(1, N_BOOKS + 1)) ** -0.7
    clubs = rng.integers(0, N_CLUBS, N_BOOKS)
    read = np.zeros((N_READERS, N_BOOKS), dtype=np.float32)
    for row in read:
        chance = appeal * np.where(np.isin(clubs, rng.integers(0, N_CLUBS, 2)), 1, 0.05)
        row[rng.choice(N_BOOKS, 1 + rng.geometric(0.1), replace=False, p=chance / chance.sum())] = 1
    return csr_array(read)


@pytest.fixture(scope="module")
def model() -> AlsModel:
    rng = np.random.default_rng(3)
    user_items = draw_readers(rng)
    authors = rng.integers(0, N_BOOKS // 3, N_BOOKS)
    data = TrainingData(
        user_items=user_items,
        counts=np.asarray(user_items.sum(axis=0), dtype=np.int64),
        book_authors=csr_array((np.ones(N_BOOKS, "f4"), (np.arange(N_BOOKS), authors))),
        title_words=csr_array((N_BOOKS, 1), dtype=np.float32),
        languages=np.zeros(N_BOOKS, dtype=np.int32),
        author_ids=np.arange(N_BOOKS // 3),
    )
    params = EvidenceParams(
        als=AlsParams(n_factors=16, n_iterations=5),
        neighbours=NeighboursParams(n_neighbours=10),
        ease=EaseParams(n_books=300, n_weights=6000),
    )
    evidence = Evidence.fit(data, params, seed=1, tools=TOOLS)
    blend = {"als": 0.25, "neighbours": 0.3, "authors": 0.1, "ease": 0.3, "popularity": 0.05}
    units = {"als": 0.5, "neighbours": 30.0, "authors": 5.0, "ease": 0.1, "popularity": 1.0}
    effects = rng.normal(size=(4, 16)).astype(np.float32)
    told = {"taste": 0.6, "authors": 0.3, "popularity": 0.1}
    newcomers = Newcomers(
        list("abcd"), np.empty(0, dtype=np.int64), [], effects, effects[:1], effects[0],
        {"blend": told, "units": dict.fromkeys(told, 2.0)},
    )  # fmt: skip
    return AlsModel(
        np.arange(N_BOOKS) * 3, evidence, {"blend": blend, "units": units},
        shown=rng.random(N_BOOKS) < 0.9, newcomers=newcomers,
    )  # fmt: skip


@pytest.fixture
def quick(model: AlsModel, monkeypatch: pytest.MonkeyPatch) -> AlsModel:
    """The model with candidates, and so few that they are worth a look for everyone as of a large catalog."""
    monkeypatch.setattr(candidates, "FEW_BOOKS", 0)
    monkeypatch.setattr(als, "N_LONGEST", N_LONGEST)
    monkeypatch.setattr(popularity, "N_POPULAR", N_POPULAR)
    return replace(model)


HISTORIES = st.lists(st.integers(0, N_BOOKS - 1), min_size=1, max_size=30, unique=True)


@settings(max_examples=60)
@given(
    history=HISTORIES,
    excluded=st.lists(st.integers(0, N_BOOKS - 1), max_size=200),
    rated=st.booleans(),
    share=st.none() | st.floats(0, 1),
    k=st.integers(1, 60),
)
def test_where_every_book_is_worth_a_look_lists_are_those_of_all_books(
    model: AlsModel, history: list[int], excluded: list[int], rated: bool, share: float | None, k: int
) -> None:
    ids = [3 * row for row in history]
    ratings = [1.0 + row % 10 if rated else None for row in history]
    wanted = {"k": k, "exclude": [3 * row for row in excluded], "popularity_weight": share}

    expected_ids, expected = model.rank(ids, ratings, **wanted)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "FEW_BOOKS", 0)
        found_ids, found = replace(model).rank(ids, ratings, **wanted)

    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    of_all = dict(zip(expected_ids.tolist(), expected.tolist(), strict=True))
    last = expected[-1]  # books of one score may come in any order, up to the end of the list
    assert all(
        of_all.get(book_id, last) == pytest.approx(score, abs=1e-4)
        for book_id, score in zip(found_ids.tolist(), found.tolist(), strict=True)
    )


def test_lists_from_candidates_are_those_of_all_books_but_for_a_few(model: AlsModel, quick: AlsModel) -> None:
    rng = np.random.default_rng(5)
    histories = [3 * rng.choice(N_BOOKS, 1 + rng.geometric(0.2), replace=False) for _ in range(200)]

    shares = []
    for history in histories:
        ratings = rng.integers(1, 11, history.size).astype(np.float32)
        expected, found = (each.rank(history, ratings, k=K)[0] for each in (model, quick))
        shares.append(np.isin(expected, found).mean())

    assert np.mean(shares) >= 0.995


def test_few_books_are_scored_for_a_reader(quick: AlsModel) -> None:
    scored = quick._score(quick._read([3 * 7], [None], 1.0), [3 * 7], K, None)

    assert scored.chosen.rows.size < N_BOOKS / 5


@pytest.mark.parametrize("told", [Told(["a"]), Told(["b", "c"], [1, 2]), Told(author_ids=[5])])
def test_lists_for_newcomers_are_those_of_all_books(model: AlsModel, quick: AlsModel, told: Told) -> None:
    expected, found = (each.rank_new(told, k=K)[0] for each in (model, quick))

    assert np.isin(expected, found).mean() >= 0.9


def test_a_reader_of_nearly_all_that_is_worth_a_look_has_a_whole_list(quick: AlsModel) -> None:
    exclude = quick.book_ids[quick._finder.head.rows].tolist()

    ranked, _ = quick.rank([3 * 7], [None], k=K, exclude=exclude)

    assert ranked.size == K
    assert not np.isin(ranked, exclude).any()


def test_a_long_list_is_of_all_books(model: AlsModel, quick: AlsModel) -> None:
    expected, found = (each.rank([21], [None], k=N_BOOKS)[0] for each in (model, quick))

    assert found.tolist() == expected.tolist()


def test_a_new_book_by_a_loved_author_comes_up_among_candidates(quick: AlsModel) -> None:
    by_author = quick.evidence.authors.author_books
    author = int(np.argmax(np.diff(by_author.indptr)))
    books = [row for row in by_author[[author]].indices if quick.is_shown[row]]
    new = NewBooks(np.array(books[-1:]), np.zeros(1, dtype=np.int64))

    ranked, _ = replace(quick, new_books=new).rank([3 * row for row in books[:2]], [9.0, 9.0], k=K)

    assert 3 * books[-1] in ranked[:10]
