"""An operator's file over a source: wrong merges parted, missing ones made, works called right."""

from pathlib import Path

import pytest
from sqlalchemy import select

from catalog.database import Database
from catalog.errors import OverridesInvalid
from catalog.importing import ImportReport, import_source
from catalog.sources.overrides import Overridden
from catalog.tables import Book, Edition
from tests.catalog.reading import contents
from tests.catalog.shelf import ListSource, edition, isbn, rating, work

SOURCE = ListSource(
    work_list=[work("A", "Ash"), work("B", "Ashes")],
    edition_list=[
        edition(1, "Ash", of="A"),
        edition(2, "Ash", of="A"),
        edition(3, "Ashes", of="B"),
        edition(4, "Cedar"),
        edition(5, "Cedar"),
        edition(6, "Zedar"),
    ],
    rating_list=[rating("1", n, "8") for n in range(1, 8)],
)
HEADER = "isbn,work,title,authors\n"


def import_with(db: Database, folder: Path, *rows: str) -> ImportReport:
    path = folder / "overrides.csv"
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return import_source(db, Overridden(SOURCE, path))


def books(db: Database) -> dict[int, tuple[int, str]]:
    """The book of each ISBN: its id and title."""
    with db.session() as session:
        rows = session.execute(
            select(Edition.isbn13, Book.book_id, Book.title).join(Book, Book.book_id == Edition.book_id)
        ).all()
    found = {code: (book_id, title) for code, book_id, title in rows}
    return {n: found[isbn(n)] for n in range(1, 8) if isbn(n) in found}


def test_isbns_become_one_work_and_another_one_of_its_own(db: Database, tmp_path: Path) -> None:
    import_source(db, SOURCE)
    before = books(db)
    assert before[1][0] == before[2][0] and before[4][0] == before[5][0] != before[6][0]

    report = import_with(
        db,
        tmp_path,
        f"{isbn(2)},second,Ash,Ada Lovelace",
        f"{isbn(4)},cedars,The Cedars,Ann Other; Bo Ther",
        f"{isbn(6)},cedars,,",
        f"{isbn(3)},A,,",
        f"{isbn(7)},cedars,,",
        ",B,Ashes to Ashes,",
    )

    after = books(db)
    assert after[1] == before[1], "ids stay"
    assert after[2][0] != after[1][0] and after[2][1] == "Ash"
    assert after[3][0] == after[1][0]
    assert after[4] == after[6] == after[7] and after[4][1] == "The Cedars"
    assert after[5][0] != after[4][0]
    assert all(file.n_read == file.n_kept + sum(file.dropped.values()) for file in report.files)
    with db.session() as session:
        assert session.scalar(select(Book.title).filter_by(external_id="B")) == "Ashes to Ashes"


def test_the_same_file_again_changes_nothing_and_what_leaves_it_is_the_sources_again(
    db: Database, tmp_path: Path
) -> None:
    rows = f"{isbn(2)},second,Ash,Ada Lovelace", f"{isbn(6)},A,,"
    import_source(db, SOURCE)
    plain = books(db)
    import_with(db, tmp_path, *rows)
    state = contents(db)

    import_with(db, tmp_path, *rows)
    assert {**contents(db), "import_reports": []} == {**state, "import_reports": []}

    import_with(db, tmp_path, rows[1])
    assert books(db)[2] == books(db)[1] == plain[1]


@pytest.mark.parametrize(
    ("row", "line", "message"),
    [
        ("0140449132,x", 2, "expected 4 fields, found 2"),
        ("0140449131,x,X,", 2, "'0140449131' is no ISBN"),
        (f"{isbn(1)},,X,", 2, "a work needs a name"),
        (f"{isbn(1)},x,X,\n{isbn(1)},y,Y,", 3, "is of 'x' above"),
        (f"{isbn(1)},x,X,\n{isbn(2)},x,Y,", 3, "is called 'X' above"),
        (f"{isbn(1)},A,,\n{isbn(2)},unheard,,", 3, "lists has no work 'unheard'; give it a title"),
    ],
)
def test_a_line_that_cannot_be_meant_is_named_and_leaves_nothing(
    sqlite: Database, tmp_path: Path, row: str, line: int, message: str
) -> None:
    with pytest.raises(OverridesInvalid, match=f"line {line}: .*{message}") as error:
        import_with(sqlite, tmp_path, row)

    assert error.value.line == line
    assert not books(sqlite)


def test_the_report_names_the_lines_of_what_the_file_alone_has(sqlite: Database, tmp_path: Path) -> None:
    report = import_with(sqlite, tmp_path, f"{isbn(1)},A,,", f"{isbn(7)},x,&nbsp;,", f"{isbn(8)},x,,")

    files = {file.name: file for file in report.files}
    assert (files["overrides.csv"].n_read, files["overrides.csv"].n_kept) == (3, 3)
    assert files["only in overrides.csv"].lines == {"no title": [3], "its work was dropped": [3, 4]}


def test_another_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "overrides.csv"
    path.write_text("isbn;work;title;authors\n1;2;3;4\n", encoding="utf-8")

    with pytest.raises(OverridesInvalid, match="expected the header isbn,work,title,authors"):
        Overridden(SOURCE, path)
