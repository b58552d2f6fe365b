"""Hidden books train, and are in nothing that readers are shown or measured by."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from catalog.tables import Book, Hidden
from pipeline.compare import Wanted, compare
from pipeline.records import Split
from pipeline.settings import SplitParams
from pipeline.steps.s1_export import export
from pipeline.steps.s2_clean import clean
from pipeline.steps.s3_split import split
from servers.als.model import AlsModel
from servers.metadata.model import MetadataModel
from servers.semantic.model import SemanticModel
from servers.similarity.model import SimilarityModel
from tests.pipeline.catalogs import Pair, Work, club_pairs, club_works
from tests.pipeline.conftest import Home, opened_home

SHOWN = club_works()
PAIRS = club_pairs(np.random.default_rng(0))
MUCH_READ, READ_ONCE = len(SHOWN) + 1, len(SHOWN) + 2
"""Hidden ones: a book that the whole first club has read, and one of a single reader."""
HIDDEN_PAIRS: list[Pair] = [(user_id, MUCH_READ, None) for user_id in range(4, 121, 4)] + [
    (1, READ_ONCE, 9.0)
]


def hide(home: Home, *book_ids: int) -> None:
    with home.db.session(write=True) as session:
        session.execute(update(Book).where(Book.book_id.in_(book_ids)).values(hidden=Hidden.UNTITLED))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A trained home with two hidden books; only to be read."""
    works = [*SHOWN, Work("9780000000002", None, ()), Work("9780000000019", None, ())]
    with opened_home(tmp_path_factory.mktemp("hidden"), works, PAIRS + HIDDEN_PAIRS) as opened:
        hide(opened, MUCH_READ, READ_ONCE)
        assert opened.train().promoted
        yield opened


def load(home: Home, owner: str, cls: type) -> object:
    return home.store.load(home.store.manifest(home.store.current() or ""), owner, cls).record


def test_a_hidden_book_of_several_readers_is_evidence_and_is_never_ranked(home: Home) -> None:
    model = load(home, "als", AlsModel)
    assert isinstance(model, AlsModel)

    assert MUCH_READ in model.book_ids
    assert READ_ONCE not in model.book_ids
    book_ids, _ = model.rank([MUCH_READ], [None], k=1000)
    assert MUCH_READ not in book_ids
    assert book_ids.size == len(SHOWN)
    assert set(book_ids[:10].tolist()) <= set(range(1, 21)), "its readers' club speaks"


def test_a_hidden_book_explains_nothing_to_a_reader(home: Home) -> None:
    model = load(home, "als", AlsModel)
    assert isinstance(model, AlsModel)

    [reasons] = model.explain([1, MUCH_READ], [None, None], [2], k=5)

    assert [book_id for book_id, _ in reasons] == [1]
    assert reasons[0][1] == pytest.approx(1.0)


def test_no_look_up_nor_search_knows_a_hidden_book(home: Home) -> None:
    similarity, metadata, semantic = (
        load(home, owner, cls)
        for owner, cls in (
            ("similarity", SimilarityModel), ("metadata", MetadataModel), ("semantic", SemanticModel),
        )
    )  # fmt: skip
    assert isinstance(similarity, SimilarityModel)
    assert isinstance(metadata, MetadataModel)
    assert isinstance(semantic, SemanticModel)

    shown = list(range(1, len(SHOWN) + 1))
    assert similarity.book_ids.tolist() == semantic.book_ids.tolist() == metadata.book_ids.tolist() == shown
    assert sorted(metadata.popular(k=1000)[0].tolist()) == shown
    assert not metadata.search("9780000000002", k=5)[0].size


def test_what_is_measured_is_the_same_with_and_without_hidden_books(home: Home, tmp_path: Path) -> None:
    def find_held_out(opened: Home) -> Split:
        return split(clean(export(opened.db)), params=SplitParams(min_users=1))

    with_hidden = find_held_out(home)
    with opened_home(tmp_path, SHOWN, PAIRS) as opened:
        without = find_held_out(opened)

    for name in ("held_out", "inner_held_out"):
        found, expected = getattr(with_hidden, name), getattr(without, name)
        np.testing.assert_array_equal(found.user_ids, expected.user_ids)
        np.testing.assert_array_equal(found.book_ids, expected.book_ids)
    assert MUCH_READ in with_hidden.train.book_ids
    assert with_hidden.train.is_shown.sum() == without.train.book_ids.size


def test_a_version_with_hidden_books_is_compared_with_what_others_would_serve(home: Home) -> None:
    found = compare(home.settings, home.db, Wanted())

    assert found.n_users > 0
    assert all(model.figures.means["recall@30"].mean > 0 for model in found.models)


def test_what_was_dropped_of_hidden_books_is_counted(home: Home) -> None:
    report = clean(export(home.db)).report

    assert report["hidden book of few readers"] == 1
    assert report["read"] == sum(count for name, count in report.items() if name != "read")
