import numpy as np

from foundation.arrays import F32, I64
from pipeline.evaluation.baselines import (
    choose_ease,
    invert_gram,
    serve_classic_system,
    serve_ease,
)
from pipeline.evaluation.users import EvaluationUsers
from pipeline.records import Fold, Interactions, build_fold
from pipeline.settings import AggregateParams
from pipeline.steps.s4_aggregate import aggregate


def random_fold(n_users: int = 60, n_items: int = 25) -> tuple[Fold, F32]:
    is_read = np.random.default_rng(0).random((n_users, n_items)) < 0.2
    user_ids, book_ids = np.nonzero(is_read)
    ratings = np.full(user_ids.size, np.nan, dtype=np.float32)
    return build_fold(Interactions(user_ids, book_ids + 100, ratings)), is_read.astype(np.float32)


def users_of(*histories: list[int], held_out: list[I64] | None = None) -> EvaluationUsers:
    return EvaluationUsers(
        np.arange(len(histories)), [np.array(each) for each in histories], [], held_out or [], []
    )


def test_dense_ease_solves_the_published_equation() -> None:
    """Steck 2019, equation 8: B = I − P · diag(1 / diag(P)), P = (XᵀX + λI)⁻¹."""
    fold, x = random_fold()

    served = serve_ease(fold, users_of([100, 103, 117]), 22, regularization=30.0)[0]

    inverse = np.linalg.inv(x.T @ x + 30 * np.eye(x.shape[1]))
    weights = np.eye(x.shape[1]) - inverse / np.diag(inverse)
    scores = weights[[0, 3, 17]].sum(axis=0)
    scores[[0, 3, 17]] = -np.inf
    assert (served - 100).tolist() == np.argsort(-scores, kind="stable")[:22].tolist()


def test_the_inverse_is_whole_across_blocks() -> None:
    is_read = np.random.default_rng(0).random((3000, 1200)) < 0.01
    user_ids, book_ids = np.nonzero(is_read)
    fold = build_fold(Interactions(user_ids, book_ids, np.ones(user_ids.size, dtype=np.float32)))

    inverse = invert_gram(fold.user_items, np.arange(fold.book_ids.size), 5.0)

    gram = (fold.user_items.T @ fold.user_items).toarray() + 5 * np.eye(fold.book_ids.size)
    np.testing.assert_allclose(inverse @ gram, np.eye(fold.book_ids.size), atol=1e-3)


def test_the_regularization_of_ease_is_the_one_that_finds_most() -> None:
    fold, _ = random_fold()
    users = users_of([100, 103], [101, 104], held_out=[np.array([105]), np.array([106])])

    chosen = choose_ease(fold, users, 5, advance=lambda share: None)

    recalls = {
        each: np.mean(
            [
                np.isin(served, truth).any()
                for served, truth in zip(
                    serve_ease(fold, users, 5, regularization=each), users.held_out, strict=True
                )
            ]
        )
        for each in (60.0, 120.0, 200.0, 350.0, 600.0, 1000.0)
    }
    assert recalls[chosen] == max(recalls.values())


def test_a_history_that_nobody_else_has_is_served_by_popularity() -> None:
    fold, x = random_fold()

    (served,) = serve_ease(fold, users_of([7]), 3, regularization=30.0)

    assert (served - 100).tolist() == np.argsort(-x.sum(axis=0), kind="stable")[:3].tolist()


def test_the_classic_system_serves_short_histories_by_its_prior() -> None:
    """Book 1 is rated highest by many; book 2 by one alone, whom the prior of 30 ratings outweighs."""
    rows = [(user, 1, 9.0) for user in range(60)] + [(0, 2, 10.0), (1, 3, 2.0)]
    users, books, ratings = (np.array(column) for column in zip(*sorted(rows), strict=True))
    fold = build_fold(Interactions(users, books, ratings.astype(np.float32)))
    by_als = [np.array([7, 7]), np.array([8, 8])]

    short, long = serve_classic_system(
        fold, aggregate(fold, params=AggregateParams()), by_als, users_of([3], list(range(10, 20))), k=2
    )

    assert short.tolist() == [1, 2]
    assert long.tolist() == [8, 8]
