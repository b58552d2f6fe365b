"""A refresh brings the books of now into the models of before, and leaves all else as it was."""

import subprocess
import sys
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from sqlalchemy import delete, func, insert, select, update

from artifacts.manifest import Manifest
from catalog.tables import Book, BookAuthor, BookSubject, Hidden, Subject
from contracts.similarity import SimilarMode
from evidence.kind import read_history
from evidence.languages import number_language
from foundation.lock import hold_lock
from pipeline.errors import AlreadyTraining, NothingToRefresh, RefreshRefused
from pipeline.models.fold_models import GATE_OWNER
from pipeline.models.served import Served, open_served
from pipeline.refresh import RefreshReport, is_stale, refresh
from pipeline.refreshing.arrivals import NEW_FOR_S
from pipeline.report import RunReport
from servers.errors import BookUnknown
from tests.pipeline.conftest import Home

FIRST_OF_AUTHOR, SECOND_OF_AUTHOR = 1, 2
"""Book 0-0 and 0-1, by Author 0-0."""


def run(home: Home) -> RefreshReport:
    return refresh(home.settings, home.db, home.store)


def current(home: Home) -> Manifest:
    return home.store.manifest(home.store.current() or "")


def served(home: Home) -> Served:
    return open_served(home.store, current(home))


def add_book(home: Home, title: str, *, like: int | None = FIRST_OF_AUTHOR) -> int:
    """A book by the author of another one, with its subjects; or one of which nothing else is known."""
    with home.db.session(write=True) as session:
        book_id = (session.scalar(select(func.max(Book.book_id))) or 0) + 1
        session.execute(
            insert(Book).values(book_id=book_id, source="test", external_id=str(book_id), title=title)
        )
        for link in (BookAuthor, BookSubject):
            columns = [column for column in link.__table__.columns if column.name != "book_id"]
            for row in session.execute(select(*columns).where(link.book_id == like)).all():
                session.execute(insert(link).values(book_id=book_id, **row._mapping))
    return book_id


def change(home: Home, book_id: int, **values: object) -> None:
    with home.db.session(write=True) as session:
        session.execute(update(Book).where(Book.book_id == book_id).values(values))


def test_a_new_book_is_found_has_similar_ones_and_comes_up_for_who_loves_its_author(
    trained_home: Home,
) -> None:
    book_id = add_book(trained_home, "Unheard Melodies")

    report = run(trained_home)

    models = served(trained_home)
    assert (report.n_new, report.n_changed, report.n_removed) == (1, 0, 0)
    assert models.metadata.search("unheard melodies", k=1)[0].tolist() == [book_id]
    assert models.metadata.find_cards([book_id])[0]["authors"] == ["Author 0-0"]
    for mode in get_args(SimilarMode):
        similar, _ = models.similarity.similar(book_id, mode=mode, weight=0.5, k=10)
        assert set(similar) <= set(range(1, 21)), f"{mode}: of another club"
    ranked, scores = models.als.rank([FIRST_OF_AUTHOR, SECOND_OF_AUTHOR], [9.0, None], k=10)
    assert book_id in ranked
    assert (np.diff(scores) <= 0).all()
    [reasons] = models.als.explain([1, 2, 30], [9.0, None, 8.0], [book_id], k=3)
    assert {reason for reason, _ in reasons} >= {1, 2}


@pytest.mark.parametrize(
    ("history", "ratings"), [([1], [10.0]), ([1, 2], [9.0, 2.0]), ([41, 42], [9.0, 9.0])]
)
def test_a_new_book_does_not_come_up_for_who_does_not_love_its_author(
    trained_home: Home, history: list[int], ratings: list[float]
) -> None:
    former = served(trained_home)
    book_id = add_book(trained_home, "Unheard Melodies")
    run(trained_home)

    ranked, _ = served(trained_home).als.rank(history, ratings, k=10)

    expected, _ = former.als.rank(history, ratings, k=10)
    assert np.isin(expected, ranked).sum() >= 9
    assert book_id not in ranked[:4]


def test_of_many_new_books_the_latest_comes_up(trained_home: Home) -> None:
    new = [add_book(trained_home, f"Volume {i}") for i in range(6)]
    run(trained_home)

    ranked, _ = served(trained_home).als.rank([1, 2], [9.0, 9.0], k=10)

    assert new[-1] in ranked


def test_a_new_book_is_of_the_language_that_it_was_told_and_an_old_one_of_that_of_now(
    trained_home: Home,
) -> None:
    book_id = add_book(trained_home, "Unheard Melodies")
    change(trained_home, book_id, language="ger")
    change(trained_home, SECOND_OF_AUTHOR, language="fre")
    run(trained_home)

    als = served(trained_home).als

    assert als.evidence.languages is not None
    told = dict(zip(als.book_ids.tolist(), als.evidence.languages.languages.tolist(), strict=True))
    assert told == {
        **dict.fromkeys(told, 0), book_id: number_language("ger"), SECOND_OF_AUTHOR: number_language("fre")
    }  # fmt: skip


def test_a_new_book_has_the_figures_of_most_but_its_own_year(trained_home: Home) -> None:
    former = served(trained_home).als.evidence.figures
    told, untold = (add_book(trained_home, title) for title in ("Dated", "Undated"))
    change(trained_home, told, year=1984)
    change(trained_home, SECOND_OF_AUTHOR, year=1999)
    run(trained_home)

    als = served(trained_home).als

    assert former is not None and als.evidence.figures is not None
    figures = dict(zip(als.book_ids.tolist(), als.evidence.figures.values.tolist(), strict=True))
    most = np.median(former.values, axis=0).tolist()
    assert figures[untold] == most
    assert figures[told] == [*most[:-1], 1984]
    assert former.names[-1] == "year" and figures[SECOND_OF_AUTHOR][-1] == 1999


def test_what_the_reader_excludes_leaves_its_place_to_the_next_new_book(trained_home: Home) -> None:
    second, third = add_book(trained_home, "Volume 1"), add_book(trained_home, "Volume 2")
    run(trained_home)

    ranked, _ = served(trained_home).als.rank([1, 2], [9.0, 9.0], k=10, exclude=[third])

    assert second in ranked and third not in ranked


def test_a_refresh_without_anything_new_publishes_nothing(trained_home: Home) -> None:
    version = trained_home.store.current()

    report = run(trained_home)

    assert report.version is None
    assert trained_home.store.current() == version
    assert not is_stale(trained_home.db, trained_home.store)


def test_a_version_is_stale_until_it_has_the_books_of_now(trained_home: Home) -> None:
    add_book(trained_home, "Unheard Melodies")
    assert is_stale(trained_home.db, trained_home.store)

    run(trained_home)

    assert not is_stale(trained_home.db, trained_home.store)


def test_only_what_changed_is_renewed(trained_home: Home) -> None:
    before = current(trained_home)
    change(trained_home, 1, n_pages=90)

    report = run(trained_home)

    after = current(trained_home)
    assert report.renewed == ("metadata",)
    kept = ("embedder", "similarity", "als", "semantic", GATE_OWNER)
    assert [before.owned_by(owner) for owner in kept] == [after.owned_by(owner) for owner in kept]
    held = {entry.digest for entry in before.objects}
    assert [entry.name for entry in after.objects if entry.digest not in held] == ["metadata/cards"]


def test_a_corrected_title_is_found_by_its_new_words_alone(trained_home: Home) -> None:
    change(trained_home, 7, title="Chrysanthemum")

    report = run(trained_home)

    models = served(trained_home)
    assert (report.n_changed, set(report.renewed)) == (1, {"metadata", "semantic"})
    assert models.metadata.search("chrysanthemum", k=5)[0].tolist() == [7]
    assert 7 not in models.metadata.search("book 0 6", k=5)[0][:1]
    assert models.metadata.text_index.search("book", k=100)[0].size == 79


def test_a_changed_author_is_whom_lists_go_by(trained_home: Home) -> None:
    other = add_book(trained_home, "Unheard Melodies")
    with trained_home.db.session(write=True) as session:
        session.execute(delete(BookAuthor).where(BookAuthor.book_id == other))
        author_id = session.scalar(select(BookAuthor.author_id).where(BookAuthor.book_id == 41))
        session.execute(insert(BookAuthor).values(book_id=other, author_id=author_id, position=0))

    run(trained_home)

    als = served(trained_home).als
    assert other in als.rank([41, 42], [9.0, 9.0], k=10)[0]
    assert other not in als.rank([1, 2], [9.0, 9.0], k=10)[0]


def test_a_changed_subject_moves_a_book_beside_others(trained_home: Home) -> None:
    with trained_home.db.session(write=True) as session:
        soups = session.scalar(select(Subject.subject_id).where(Subject.name == "Soups"))
        session.execute(delete(BookSubject).where(BookSubject.book_id == 5))
        session.execute(insert(BookSubject).values(book_id=5, subject_id=soups, position=0))

    report = run(trained_home)

    similar, _ = served(trained_home).similarity.similar(5, mode="subject", weight=0, k=10)
    assert set(report.renewed) == {"similarity", "metadata", "semantic"}
    assert set(similar) <= set(range(61, 81))


@pytest.mark.parametrize("values", [{"hidden": Hidden.WITHDRAWN}, {"replaced_by": 2}])
def test_a_book_that_is_withdrawn_or_merged_is_in_nothing_any_more(
    trained_home: Home, values: dict[str, object]
) -> None:
    add_book(trained_home, "Unheard Melodies")
    change(trained_home, 1, **values)

    report = run(trained_home)

    models = served(trained_home)
    assert (report.n_new, report.n_removed) == (1, 1)
    assert models.metadata.find_cards([1]) == []
    assert 1 not in models.metadata.search("book 0 0", k=100)[0]
    assert 1 not in models.semantic.search("Book 0-0 Author", k=100)[0]
    assert 1 not in models.als.rank([2], [9.0], k=100)[0]
    assert 1 not in models.similarity.similar(2, mode="subject", weight=0, k=100)[0]
    with pytest.raises(BookUnknown):
        models.similarity.similar(1, mode="als", weight=1, k=1)


def test_a_book_that_is_shown_again_is_as_it_was(trained_home: Home) -> None:
    before = served(trained_home)
    change(trained_home, 1, hidden=Hidden.WITHDRAWN)
    run(trained_home)
    change(trained_home, 1, hidden=None)

    run(trained_home)

    after = served(trained_home)
    for history in ([2], [3, 4, 41]):
        ratings = [8.0] * len(history)
        expected = before.als.score_kinds(read_history(before.als.book_ids, history, ratings))
        actual = after.als.score_kinds(read_history(after.als.book_ids, history, ratings))
        np.testing.assert_allclose(actual, expected, atol=1e-6)
    assert after.als.is_shown.all()
    np.testing.assert_allclose(after.similarity.vectors, before.similarity.vectors, atol=1e-6)


def test_two_refreshes_are_children_of_the_trained_version_and_know_the_same_as_one(
    trained_home: Home,
) -> None:
    trained = current(trained_home)
    first = add_book(trained_home, "Unheard Melodies")
    run(trained_home)
    add_book(trained_home, "Silent Harmonies", like=41)

    report = run(trained_home)

    manifest = current(trained_home)
    assert report.refresh_of == manifest.refresh_of == trained.version
    assert manifest.trained_at == trained.trained_at
    assert manifest.split_id == trained.split_id
    assert {check.name for check in manifest.gate.checks} >= {check.name for check in trained.gate.checks}
    models = served(trained_home)
    assert models.metadata.search("unheard", k=1)[0].tolist() == [first]
    assert first in models.als.rank([1, 2], [9.0, 9.0], k=10)[0]
    assert trained_home.store.previous() is None
    last = trained_home.store.promotions()[-1]
    assert (last.by, last.refresh_of) == ("bookmesh refresh", trained.version)


def test_a_new_book_still_comes_up_after_the_next_training(trained_home: Home) -> None:
    book_id = add_book(trained_home, "Unheard Melodies")
    run(trained_home)

    report = trained_home.train()

    assert report.promoted, report.failed_checks
    models = served(trained_home)
    assert current(trained_home).refresh_of is None
    assert book_id in models.als.rank([1, 2], [9.0, 9.0], k=10)[0]
    assert models.similarity.similar(book_id, mode="als", weight=1, k=5)[0].size == 5
    assert run(trained_home).version is None


def test_a_training_compares_with_what_the_refreshed_version_was_trained_as(trained_home: Home) -> None:
    add_book(trained_home, "Unheard Melodies")
    run(trained_home)

    report = trained_home.train()

    [check] = [check for check in report.verdict.checks if check.name == "recall_over_current"]
    assert "as it was sealed" in check.detail


def test_a_book_is_new_for_a_month(trained_home: Home) -> None:
    book_id = add_book(trained_home, "Unheard Melodies")
    run(trained_home)
    add_book(trained_home, "Silent Harmonies", like=41)
    later = trained_home.store.now().timestamp() + NEW_FOR_S + 1

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.refresh.read_clock", lambda: later)
        run(trained_home)

    assert book_id not in served(trained_home).als.rank([1, 2], [9.0, 9.0], k=10)[0]


def test_the_books_of_the_first_version_are_never_new(
    trained: tuple[Home, RunReport], trained_home: Home
) -> None:
    assert served(trained_home).als.new_books is None


def test_a_book_without_author_and_subject_is_published_all_the_same(trained_home: Home) -> None:
    book_id = add_book(trained_home, "Unheard Melodies", like=None)

    run(trained_home)

    assert served(trained_home).metadata.search("unheard", k=1)[0].tolist() == [book_id]


def test_a_refresh_without_a_version_says_what_to_do(home: Home) -> None:
    with pytest.raises(NothingToRefresh, match="bookmesh train"):
        run(home)


def test_a_refresh_waits_for_no_training_and_says_who_is_at_it(trained_home: Home) -> None:
    with (
        hold_lock(trained_home.settings.lock_path, AlreadyTraining),
        pytest.raises(AlreadyTraining, match="training or refreshing"),
    ):
        run(trained_home)


def test_a_broken_refresh_is_never_published(trained_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    version = trained_home.store.current()
    add_book(trained_home, "Unheard Melodies")
    from pipeline.refreshing import renewal

    def break_factors(*args: object) -> Served:
        models = renewal.renew(*args)  # type: ignore[arg-type]
        als = models.als.evidence.als
        broken = replace(als, item_factors=np.full_like(als.item_factors, np.nan))
        return replace(models, als=replace(models.als, evidence=replace(models.als.evidence, als=broken)))

    monkeypatch.setattr("pipeline.refresh.renew", break_factors)

    with pytest.raises(RefreshRefused, match="refresh_finite"):
        run(trained_home)

    assert trained_home.store.current() == version


def test_a_refresh_needs_no_library_that_trains() -> None:
    program = (
        "import sys\n"
        "class Refusing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in {'torch', 'implicit', 'sklearn'}:\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Refusing())\n"
        "import pipeline.refresh, cli.main\n"
    )

    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
