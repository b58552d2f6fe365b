"""Readers of whom no more is known than what they tell."""

from typing import Any

import numpy as np
import pyarrow as pa

from foundation.serving_rules import ServingRules
from pipeline.evaluation.cold import serve_cold, tell_favourites
from pipeline.models.fold_models import FoldModels
from servers.als.newcomers import Told
from servers.embedder.model import EmbedderModel
from tests.pipeline.evaluation.test_lists import N, make_model, users_of


class _Catalog:
    """Five books, of which the first two are of fiction, and two readers of whom something is known."""

    subjects = pa.table(
        {
            "subject_id": [1, 2, 3, 4],
            "name": ["Fiction", "Space", "Soup", "War"],
            "is_generic": [True, False, False, False],
        }
    )
    book_subjects = pa.table(
        {
            "book_id": [100, 100, 101, 101, 102, 104],
            "subject_id": [1, 2, 1, 3, 3, 4],
            "position": [0, 1, 0, 1, 0, 0],
        }
    )
    book_authors = pa.table({"book_id": [100, 101, 102, 104], "author_id": [8, 7, 7, 9]})
    users = pa.table(
        {
            "user_id": [0, 2],
            "age_group": ["25-34", None],
            "gender": ["F", "male"],
            "occupation": [None, None],
            "country": [None, None],
        }
    )


def test_favourites_are_what_was_read_most_without_generic_subjects() -> None:
    catalog: Any = _Catalog()

    told = tell_favourites(catalog, np.arange(100, 105), users_of([100, 101, 102], [103], [104]))

    assert told == [
        Told(["Soup", "Space"], [7, 8], ["age_group=25-34", "gender=female"]),
        Told([], [], []),
        Told(["War"], [9], ["gender=male"]),
    ]


def test_a_version_that_cannot_rank_by_favourites_serves_by_nearness_or_popularity() -> None:
    embedder = EmbedderModel(
        ["Space", "Soup"], np.eye(2, dtype="f4"), np.zeros((2, 2), "f4"), np.zeros(2, "f4")
    )
    is_soup = np.arange(N) % 2 == 1
    vectors = np.stack([~is_soup, is_soup], axis=1).astype(np.float32)

    soup, nothing = serve_cold(
        FoldModels(make_model(), embedder, vectors, np.array([], dtype=np.int64)),
        [Told(["Soup"]), Told(["Quidditch"])],
        users_of([139], []),
        k=5,
        rules=ServingRules(subjects_popularity_weight=0.1),
    )

    assert (is_soup[soup - 100]).all() and 139 not in soup
    assert nothing.tolist() == [100, 101, 120, 121, 122]
