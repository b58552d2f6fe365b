"""A hidden book that gets a title is a book like others after a refresh: found, similar, ranked."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import insert, update

from artifacts.store import ArtifactStore
from catalog.database import open_database
from catalog.editing.books import change_book
from catalog.importing import import_source
from catalog.isbn import build_isbn13
from catalog.sources.records import RawEdition
from catalog.tables import Book, Edition, Hidden, Rating
from pipeline.models.served import Served, open_served
from pipeline.refresh import refresh
from tests.catalog.shelf import ListSource
from tests.pipeline.catalogs import Pair, Work, club_pairs, club_works
from tests.pipeline.conftest import Home, opened_home, quick_settings

SHOWN = club_works()
TRAINED, READ_ONCE, READ_SINCE = (len(SHOWN) + n for n in (1, 2, 3))
"""Hidden ones of the first club: of many readers, of one, and of many who came after the training."""
FIRST_CLUB = range(4, 121, 4)
ISBNS = {book_id: build_isbn13(f"97899999{book_id:04}") for book_id in (TRAINED, READ_ONCE, READ_SINCE)}


def read_by_first_club(book_id: int) -> list[Pair]:
    return [(user_id, book_id, 9.0) for user_id in FIRST_CLUB]


@pytest.fixture(scope="module")
def hiding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A trained home with hidden books, to be copied."""
    works = [*SHOWN, *(Work(number, None, ()) for number in ISBNS.values())]
    pairs = [*club_pairs(np.random.default_rng(0)), *read_by_first_club(TRAINED), (4, READ_ONCE, 9.0)]
    path = tmp_path_factory.mktemp("hiding")
    with opened_home(path, works, pairs) as home:
        with home.db.session(write=True) as session:
            for book_id, number in ISBNS.items():
                values = {"hidden": Hidden.UNTITLED, "external_id": number}
                session.execute(update(Book).where(Book.book_id == book_id).values(values))
                session.execute(insert(Edition).values(isbn13=number, book_id=book_id))
        assert home.train().promoted
        with home.db.session(write=True) as session:
            rows = [
                {"user_id": user_id, "book_id": book_id, "rating": rating}
                for user_id, book_id, rating in read_by_first_club(READ_SINCE)
            ]
            session.execute(insert(Rating), rows)
    yield path


@pytest.fixture
def home(hiding: Path, tmp_path: Path) -> Iterator[Home]:
    copy = tmp_path / "home"
    shutil.copytree(hiding, copy)
    with closing(open_database(f"sqlite:///{copy / 'catalog.db'}")) as db:
        yield Home(quick_settings(copy), db, ArtifactStore(copy / "artifacts"))


def refreshed(home: Home) -> Served:
    refresh(home.settings, home.db, home.store)
    return open_served(home.store, home.store.manifest(home.store.current() or ""))


def check_is_a_book(models: Served, book_id: int, *, among: int) -> None:
    """Found by its title, like others of its club by every vector, and ranked for readers of the club."""
    assert models.metadata.search("nightingale", k=1)[0].tolist() == [book_id]
    assert book_id in models.semantic.search("Dragons by Author 0-0", k=20)[0]
    for mode in ("als", "subject", "hybrid"):
        similar, _ = models.similarity.similar(book_id, mode=mode, weight=0.5, k=10)
        assert set(similar) <= set(range(1, 21)), f"{mode}: of another club"
    assert book_id in models.als.rank([3, 5, 7], [9.0, 9.0, None], k=among)[0]


@pytest.mark.parametrize("book_id", [TRAINED, READ_ONCE, READ_SINCE])
def test_a_book_that_an_operator_titles_is_found_similar_and_ranked(home: Home, book_id: int) -> None:
    with home.db.session(write=True) as session:
        change_book(
            session, book_id, {"title": "Nightingale", "authors": ["Author 0-0"], "subjects": ["Dragons"]}
        )

    check_is_a_book(refreshed(home), book_id, among=20)


@pytest.mark.parametrize("book_id", [TRAINED, READ_ONCE, READ_SINCE])
def test_a_book_that_an_import_titles_is_ranked(home: Home, book_id: int) -> None:
    titled = RawEdition("editions", (ISBNS[book_id],), None, "Nightingale", ("Author 0-0",), "1999")
    import_source(home.db, ListSource(name="test", edition_list=[titled]))

    models = refreshed(home)

    assert models.metadata.search("nightingale", k=1)[0].tolist() == [book_id]
    assert set(models.similarity.similar(book_id, mode="als", weight=1, k=10)[0]) <= set(range(1, 21))
    assert book_id in models.als.rank([3, 5, 7], [9.0, 9.0, None], k=20)[0]


@pytest.mark.parametrize("book_id", [TRAINED, READ_SINCE])
def test_a_book_that_takes_the_place_of_a_hidden_one_is_ranked(home: Home, book_id: int) -> None:
    titled = RawEdition("editions", (ISBNS[book_id],), None, "Nightingale", ("Author 0-0",), "1999")
    import_source(home.db, ListSource(name="shop", edition_list=[titled]))
    import_source(home.db, ListSource(name="test"))

    models = refreshed(home)

    [found] = models.metadata.search("nightingale", k=1)[0].tolist()
    assert set(models.similarity.similar(found, mode="als", weight=1, k=10)[0]) <= set(range(1, 21))
    assert found in models.als.rank([3, 5, 7], [9.0, 9.0, None], k=20)[0]
