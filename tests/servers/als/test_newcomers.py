from dataclasses import replace

import numpy as np
import pytest

from foundation.arrays import Chosen
from servers.als.newcomers import Told
from servers.errors import NoKnownFavourites
from tests.servers.tiny import AUTHOR_IDS, BOOK_IDS, CLUBS, SOUP_IDS, SPACE_IDS, N, als_model, popularity

MODEL = als_model(1)
UNITS = dict.fromkeys(["taste", "authors", "popularity"], 1.0)
POPULARITY_ALONE = {"taste": 0.0, "authors": 0.0, "popularity": 1.0}


def rank(told: Told, popularity_weight: float | None = None) -> list[int]:
    return MODEL.rank_new(told, k=N, popularity_weight=popularity_weight)[0].tolist()


@pytest.mark.parametrize(("subject", "books"), [("Space", SPACE_IDS), ("SOUP", SOUP_IDS)])
def test_a_favourite_subject_raises_its_books(subject: str, books: list[int]) -> None:
    ranked = rank(Told(subjects=[subject]))

    assert set(ranked[: len(books)]) == set(books)


def test_a_trait_speaks_where_nothing_else_is_told() -> None:
    assert set(rank(Told(traits=["gender=female", "age_group=5-12"]))[: len(SPACE_IDS)]) == set(SPACE_IDS)


def test_the_dearest_favourite_counts_most() -> None:
    first, last = rank(Told(["Space", "Soup"])), rank(Told(["Soup", "Space"]))

    assert first[0] in SPACE_IDS and last[0] in SOUP_IDS


def test_books_of_a_favourite_author_come_first() -> None:
    of_the_two_least_read_books = AUTHOR_IDS[-1]

    assert set(rank(Told(author_ids=[of_the_two_least_read_books]))[:2]) == set(BOOK_IDS[-2:].tolist())


def test_popularity_alone_where_a_reader_wants_nothing_else() -> None:
    by_popularity = BOOK_IDS[np.argsort(-popularity(), kind="stable")].tolist()

    assert rank(Told(["Soup"], [AUTHOR_IDS[-1]], ["gender=female"]), popularity_weight=1.0) == by_popularity


def test_scores_without_popularity_are_in_the_ratio_of_the_tuned_weights() -> None:
    found = MODEL.newcomers.find(Told(["Soup"], [0]), MODEL.evidence)
    parts = {name: part.score(Chosen.all(N)) for name, part in found.items()}

    ranked, scores = MODEL.rank_new(Told(["Soup"], [0]), k=N, popularity_weight=0.0)

    expected = (0.6 * parts["taste"] + 0.3 * parts["authors"]) / 0.9
    np.testing.assert_allclose(scores, expected[np.searchsorted(BOOK_IDS, ranked)], rtol=1e-5, atol=1e-6)


def test_a_model_of_popularity_alone_still_takes_another_share_of_it() -> None:
    alone = replace(MODEL.newcomers, params={"blend": POPULARITY_ALONE, "units": UNITS})

    model = replace(MODEL, newcomers=alone)

    ranked, scores = model.rank_new(Told(["Soup"]), k=N, popularity_weight=0.5)

    expected = 0.5 * popularity()
    np.testing.assert_allclose(scores, expected[np.searchsorted(BOOK_IDS, ranked)], rtol=1e-6)


def test_what_is_excluded_never_comes() -> None:
    ranked, _ = MODEL.rank_new(Told(["Space"]), k=N, exclude=SPACE_IDS)

    assert set(ranked.tolist()) == set(SOUP_IDS)
    assert CLUBS.size == N


def test_nothing_known_is_refused() -> None:
    with pytest.raises(NoKnownFavourites):
        MODEL.rank_new(Told(["Quidditch"], [99], ["gender=other"]), k=1)
