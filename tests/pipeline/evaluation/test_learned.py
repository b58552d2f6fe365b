import numpy as np
import pytest

from catalog.demo.source import Demo
from pipeline.evaluation.learned import list_differences, standardise
from pipeline.evaluation.users import EvaluationUsers
from pipeline.steps.s2_clean import clean
from pipeline.steps.s9_gate import MIN_Z
from tests.bench.learned_evidence import make_up, shuffle_labels, standardised
from tests.servers.tiny import SOUP_IDS, SPACE_IDS, als_model

GATES_OWN = "mean difference"
SMALL = (Demo(users=400, ratings=8_000, seed=2), Demo(books=1_000, users=1_500, ratings=9_000, seed=2))


@pytest.mark.parametrize("source", SMALL, ids=["the project's own works", "made-up works"])
def test_honest_labels_pass_by_far_and_shuffled_ones_never(source: Demo) -> None:
    catalog = make_up(source)
    honest = clean(catalog)
    shuffled = shuffle_labels(honest, np.random.default_rng(2))

    assert standardised(catalog, honest)[GATES_OWN] > 1.5 * MIN_Z
    assert abs(standardised(catalog, shuffled)[GATES_OWN]) < 0.75 * MIN_Z


def test_a_book_that_the_other_has_read_is_not_compared() -> None:
    """Two readers of space books, two of soup; what is held out is in the history of the like-minded."""
    space, soup = np.array(SPACE_IDS), np.array(SOUP_IDS)
    users = EvaluationUsers(
        user_ids=np.arange(1, 5),
        histories=[space[:3], space[1:4], soup[:3], soup[1:4]],
        ratings=[np.full(3, np.nan, dtype=np.float32)] * 4,
        held_out=[space[3:4], space[:1], soup[3:4], soup[:1]],
        held_out_ratings=[np.full(1, np.nan, dtype=np.float32)] * 4,
    )

    differences = list_differences(als_model(seed=1), users)

    assert all(each.size and (each > 0).all() for each in differences)


def test_standard_errors_of_equal_scores_are_none() -> None:
    assert standardise(np.zeros(50)) == 0
    assert standardise(np.ones(1)) == 0
