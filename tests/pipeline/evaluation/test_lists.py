from collections import Counter
from collections.abc import Collection

import numpy as np
from scipy.sparse import csr_array

from contracts.metadata import BookCard
from evidence.als import Als, build_gram
from evidence.authors import Authors
from evidence.neighbours import Neighbours
from evidence.popularity import Popularity
from evidence.registry import Evidence
from foundation.serving_rules import ServingRules
from gateway.recommend.assemble import choose
from gateway.recommend.candidates import ListRules
from pipeline.evaluation.lists import (
    list_authors,
    serve_collaborative,
    serve_popular,
)
from pipeline.evaluation.users import EvaluationUsers
from servers.als.model import AlsModel

N = 40
BOOK_IDS = np.arange(N) + 100
AUTHOR_OF = np.array([0] * 20 + list(range(1, 21)))
NONE = np.empty(0, dtype=np.float32)


def make_model(**blend: float) -> AlsModel:
    """Book i is the i-th most popular; the twenty most popular are by one author."""
    factors = np.zeros((N, 2), dtype=np.float32)
    return AlsModel(
        book_ids=BOOK_IDS,
        evidence=Evidence(
            als=Als(factors, build_gram(factors, 1.0), {"alpha": 16.0}),
            neighbours=Neighbours(csr_array((N, N), dtype=np.float32)),
            authors=Authors(csr_array((np.ones(N, "f4"), (np.arange(N), AUTHOR_OF)), shape=(N, 21))),
            popularity=Popularity(np.linspace(1, 0.1, N, dtype=np.float32)),
        ),
        params={"blend": {"popularity": 1.0, **blend}},
    )


def make_card(book_id: int, author: str, subjects: Collection[int]) -> BookCard:
    return BookCard(
        book_id=book_id,
        title="",
        authors=[author],
        year=None,
        language=None,
        isbns=[],
        main_subject=None,
        subjects=[str(subject) for subject in subjects],
        description=None,
        n_ratings=0,
        mean_rating=None,
    )


def users_of(*histories: list[int]) -> EvaluationUsers:
    return EvaluationUsers(
        user_ids=np.arange(len(histories)),
        histories=[np.array(history, dtype=np.int64) for history in histories],
        ratings=[np.full(len(history), np.nan, dtype=np.float32) for history in histories],
        held_out=[np.array([1])] * len(histories),
        held_out_ratings=[np.array([np.nan], dtype=np.float32)] * len(histories),
    )


def test_served_lists_keep_the_author_limit_and_leave_out_what_was_read() -> None:
    (served,) = serve_collaborative(make_model(), users_of([100, 125]), k=15, rules=ServingRules())

    assert not {100, 125} & set(served)
    authors = AUTHOR_OF[served - 100]
    for start in range(6):
        assert max(Counter(authors[start : start + 10].tolist()).values()) <= 2


def test_an_operators_author_limit_is_kept() -> None:
    (served,) = serve_collaborative(make_model(), users_of([139]), k=5, rules=ServingRules(author_limit=4))

    assert served.tolist() == [100, 101, 102, 103, 120]


def test_a_history_that_the_model_does_not_know_is_served_by_popularity() -> None:
    (served,) = serve_collaborative(make_model(), users_of([7]), k=3, rules=ServingRules())

    assert served.tolist() == [100, 101, 120]


def test_the_popularity_baseline_has_no_author_limit() -> None:
    first, second = serve_popular(
        BOOK_IDS, make_model().evidence.popularity.popularity, users_of([101], []), k=4
    )

    assert first.tolist() == [100, 102, 103, 104]
    assert second.tolist() == [100, 101, 102, 103]


def test_authors_are_listed_for_each_book() -> None:
    assert list_authors(make_model())[18:22] == [(0,), (0,), (1,), (2,)]


def test_a_diverse_list_is_chosen_as_the_gateway_chooses() -> None:
    subjects = {int(book_id): frozenset({int(book_id) % 3}) for book_id in BOOK_IDS}
    rules = ServingRules(diversity=0.4)

    (served,) = serve_collaborative(make_model(), users_of([139]), k=12, rules=rules, subjects=subjects)

    cards = [make_card(book_id, str(AUTHOR_OF[book_id - 100]), subjects[book_id]) for book_id in subjects]
    shown = [(card, 0.0) for card in cards if card.book_id != 139]
    places, _ = choose(shown, ListRules(12, frozenset(), rules.author_limit, False, rules.diversity))
    assert served.tolist() == [shown[place][0].book_id for place in places]
    assert (
        served.tolist() != serve_collaborative(make_model(), users_of([139]), 12, ServingRules())[0].tolist()
    )
