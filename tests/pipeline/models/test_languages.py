"""The language of a book is what the catalog tells, else what most of its ISBNs begin like."""

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import insert, update

from catalog.isbn import build_isbn13
from catalog.tables import Book, Edition
from evidence.languages import number_language
from pipeline.models.languages import GROUPS, collect_languages, read_language
from pipeline.steps.s1_export import export
from tests.pipeline.catalogs import Work, write_catalog


def test_what_the_catalog_tells_goes_before_what_most_of_the_isbns_tell(tmp_path: Path) -> None:
    works = [Work(title, None, ()) for title in ("Das Parfum", "Perfume", "L'Étranger", "Untold")]
    isbns = {1: ["978014000001"], 2: ["978349900001", "978014000002", "978006000001"], 3: ["978207000001"]}
    db = write_catalog(tmp_path / "catalog.db", works, [])
    with db.session(write=True) as session:
        session.execute(update(Book).where(Book.book_id == 1).values(language="ger"))
        for book_id, first_twelve in [(book_id, each) for book_id, some in isbns.items() for each in some]:
            session.execute(insert(Edition).values(isbn13=build_isbn13(first_twelve), book_id=book_id))
    catalog = export(db)
    db.close()

    languages = collect_languages(catalog, np.array([1, 2, 3, 4, 9]))

    assert languages.tolist() == [*map(number_language, ("ger", "eng", "fre")), 0, 0]


@pytest.mark.parametrize(
    ("isbn", "language"),
    [("9783499000010", "ger"), ("9791090000010", "fre"), ("9798600000015", "eng"), ("9789720000012", "por"),
     ("9788170000013", None), ("9789810000011", None), ("9790000000011", None)],
)  # fmt: skip
def test_an_isbn_tells_its_language_unless_its_country_has_several(isbn: str, language: str | None) -> None:
    assert read_language(isbn) == language


def test_no_isbn_is_of_two_languages() -> None:
    prefixes = [prefix for some in GROUPS.values() for prefix in some.split()]

    assert len(set(prefixes)) == len(prefixes)
    assert not [each for each in prefixes if any(each != one and each.startswith(one) for one in prefixes)]
