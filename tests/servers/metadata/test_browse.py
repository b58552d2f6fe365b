"""All books by filters and in an order, and searches that filters narrow."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from contracts.metadata import BookFilters, Sort
from servers.metadata.columns import BookColumns
from servers.metadata.model import MetadataModel
from tests.servers.tiny import ANONYMOUS_ID, BOOK_IDS, SOUP_IDS, SPACE_IDS, TITLES, N, metadata_model

ALL = BookFilters()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> MetadataModel:
    return metadata_model(tmp_path_factory.mktemp("browse") / "text")


def browse(model: MetadataModel, sort: Sort = "popular", **filters: Any) -> list[int]:
    ids: list[int] = model.browse(BookFilters(**filters), sort=sort, k=N)[0].tolist()
    return ids


@pytest.mark.parametrize("sort", ["popular", "newest", "title"])
def test_pages_join_into_the_whole_order(model: MetadataModel, sort: Sort) -> None:
    pages = [model.browse(ALL, sort=sort, k=5, offset=offset) for offset in (0, 5, 10, 15)]

    assert [book_id for page, _, _ in pages for book_id in page] == browse(model, sort)
    assert {total for _, _, total in pages} == {N}


def test_each_order_is_what_it_says(model: MetadataModel) -> None:
    by_title = [TITLES[row] for row in np.searchsorted(BOOK_IDS, browse(model, "title"))]

    assert browse(model) == BOOK_IDS.tolist()
    assert browse(model, "newest") == [*BOOK_IDS[-2::-1].tolist(), ANONYMOUS_ID]  # it has no year
    assert by_title == sorted(TITLES, key=str.lower)
    assert by_title.index("García's Kitchen") < by_title.index("Onions and Leeks")


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"subject": "sPACE"}, SPACE_IDS),
        ({"subject": "Chess"}, []),
        ({"author": "author amos"}, BOOK_IDS[:2].tolist()),
        ({"author": "Áuthor Amos"}, BOOK_IDS[:2].tolist()),
        ({"author": "Amos"}, []),
        ({"language": "EN"}, BOOK_IDS.tolist()),
        ({"language": "ger"}, []),
        ({"year_from": 1959}, BOOK_IDS[9:11].tolist()),
        ({"year_to": 1951}, BOOK_IDS[:2].tolist()),
        ({"year_from": 1951, "year_to": 1951, "subject": "Space"}, BOOK_IDS[1:2].tolist()),
        ({"year_from": 1960, "subject": "Soup", "author": "Author Fmos"}, [SOUP_IDS[4]]),
    ],
)
def test_only_books_that_pass_all_filters_come(
    model: MetadataModel, filters: dict[str, Any], expected: list[int]
) -> None:
    assert browse(model, **filters) == expected


def test_what_is_excluded_counts_for_no_page(model: MetadataModel) -> None:
    found, scores, total = model.browse(ALL, sort="popular", k=2, exclude=[BOOK_IDS[0], 5])

    assert (found.tolist(), total) == (BOOK_IDS[1:3].tolist(), N - 1)
    assert scores.tolist() == model.scores(BOOK_IDS[1:3]).tolist()


def test_a_book_of_several_authors_is_each_one_s() -> None:
    columns = BookColumns(pa.table({"authors": [["Terry Pratchett", "Neil Gaiman"], [], ["Neil Gaiman"]]}))

    assert columns.written_by("neil gaiman").tolist() == [True, False, True]
    assert columns.written_by("terry pratchett").tolist() == [True, False, False]


def test_a_search_goes_on_until_enough_books_pass_the_filters(model: MetadataModel) -> None:
    every = model.search("space soup", N)[0].tolist()
    passing = [book_id for book_id in every if book_id in BOOK_IDS[1:4].tolist()]

    found, _ = model.search("space soup", 2, BookFilters(year_from=1951, year_to=1953))

    assert found.tolist() == passing[:2]
    assert model.search("space", 3, BookFilters(author="Author Fmos"))[0].tolist() == []
