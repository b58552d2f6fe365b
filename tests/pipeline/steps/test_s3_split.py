import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.draws import draw
from pipeline.records import Clean, Interactions, Split
from pipeline.settings import SplitParams
from pipeline.steps.s3_split import split

PARAMS = SplitParams(min_users=1)


def make(pairs: set[tuple[int, int]]) -> Clean:
    users, books = np.array(sorted(pairs), dtype=np.int64).T
    return Clean(Interactions(users, books, np.full(users.size, np.nan, dtype=np.float32)), {})


def pairs_of(interactions: Interactions) -> set[tuple[int, int]]:
    return set(zip(interactions.user_ids.tolist(), interactions.book_ids.tolist(), strict=True))


def pairs_of_fold(fold: object) -> set[tuple[int, int]]:
    entries = fold.user_items.tocoo()  # type: ignore[attr-defined]
    users, books = fold.user_ids[entries.row], fold.book_ids[entries.col]  # type: ignore[attr-defined]
    return set(zip(users.tolist(), books.tolist(), strict=True))


def random_pairs(n_users: int = 60, n_books: int = 200, seed: int = 0) -> set[tuple[int, int]]:
    rng = np.random.default_rng(seed)
    return {
        (user, int(book))
        for user in range(1, n_users + 1)
        for book in rng.choice(n_books, rng.integers(1, 40), replace=False) + 1
    }


def test_the_folds_are_disjoint_and_complete() -> None:
    pairs = random_pairs()

    folds = split(make(pairs), params=PARAMS)

    held_out, inner_held_out = pairs_of(folds.held_out), pairs_of(folds.inner_held_out)
    assert pairs_of_fold(folds.train) | held_out == pairs
    assert not pairs_of_fold(folds.train) & held_out
    assert pairs_of_fold(folds.inner) | inner_held_out == pairs_of_fold(folds.train)
    assert not pairs_of_fold(folds.inner) & inner_held_out


def test_about_the_asked_share_is_held_out_of_readers_with_enough() -> None:
    pairs = random_pairs(n_users=400)

    folds = split(make(pairs), params=PARAMS)

    counts = {user: sum(1 for each, _ in pairs if each == user) for user in range(1, 401)}
    eligible = {pair for pair in pairs if counts[pair[0]] >= 5}
    assert pairs_of(folds.held_out) <= eligible
    assert abs(folds.held_out.size / len(eligible) - 0.2) < 0.02
    assert abs(folds.inner_held_out.size / (len(eligible) - folds.held_out.size) - 0.1) < 0.02


def test_vocabularies_come_from_the_train_fold_alone() -> None:
    pairs = random_pairs(n_users=20)

    folds = split(make(pairs), params=PARAMS)

    only_held_out = {book for _, book in pairs_of(folds.held_out)} - {
        book for _, book in pairs_of_fold(folds.train)
    }
    assert only_held_out
    assert not only_held_out & set(folds.train.book_ids.tolist())


@given(st.integers(0, 50))
def test_a_held_out_pair_stays_held_out_whatever_comes_after(seed: int) -> None:
    early = random_pairs(n_users=10, seed=seed)
    late = early | random_pairs(n_users=12, seed=seed + 1000)

    before, after = (split(make(pairs), params=PARAMS) for pairs in (early, late))

    assert before.split_id == after.split_id
    assert pairs_of(before.held_out) <= pairs_of(after.held_out)


def test_other_shares_are_another_split() -> None:
    def split_id(**changes: float) -> str:
        found: Split = split(make(random_pairs(5)), params=PARAMS.model_copy(update=changes))
        return found.split_id

    assert len({split_id(), split_id(held_out_share=0.3), split_id(min_ratings=4)}) == 3


def test_draws_are_even_and_depend_on_every_part() -> None:
    users, books = np.repeat(np.arange(100), 100), np.tile(np.arange(100), 100)

    first = draw(users, books, 1)

    histogram = np.bincount((first * 10).astype(int), minlength=10)
    assert (np.abs(histogram - 1000) < 150).all()
    assert abs(np.corrcoef(first, draw(users, books, 2))[0, 1]) < 0.05
    assert abs(np.corrcoef(first, draw(books, users, 1))[0, 1]) < 0.05
