"""Exports of other sites become rows; what is damaged costs its line, and what is no export is refused."""

from datetime import UTC, datetime

import pytest

from catalog.errors import SourceError, SourceFileEmpty, SourceFormatWrong
from catalog.library.reading import MOST_ROWS, read_library
from catalog.library.records import ExportRow, Shelf
from tests.catalog.library.exports import (
    GOODREADS,
    STORYGRAPH,
    goodreads_row,
    storygraph_row,
    write_goodreads,
    write_storygraph,
)


def _read_goodreads(**fields: str) -> ExportRow:
    [row] = read_library(write_goodreads([goodreads_row(**fields)])).rows
    return row


def _read_storygraph(**fields: str) -> ExportRow:
    [row] = read_library(write_storygraph([storygraph_row(**fields)])).rows
    return row


def _day(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp())


def test_a_goodreads_row_is_read_whole() -> None:
    row = _read_goodreads(
        title="Good Omens", author="Terry Pratchett", additional_authors="Neil Gaiman, Martin Jarvis",
        isbn="0060853980", my_rating="4", original_publication_year="1990", date_read="2023/06/15",
        date_added="2023/01/02",
    )  # fmt: skip

    assert row == ExportRow(
        line=2,
        title="Good Omens",
        authors=("Terry Pratchett", "Neil Gaiman", "Martin Jarvis"),
        isbn="9780060853983",
        year=1990,
        shelf=Shelf.READ,
        rating=7.75,
        at=_day(2023, 6, 15),
    )


def test_a_storygraph_row_is_read_whole() -> None:
    row = _read_storygraph(
        title="Good Omens", authors="Terry Pratchett, Neil Gaiman", isbn="9780060853983", star_rating="4.25",
        date_added="2023/01/02", last_date_read="2023/06/15",
    )  # fmt: skip

    assert row == ExportRow(
        line=2,
        title="Good Omens",
        authors=("Terry Pratchett", "Neil Gaiman"),
        isbn="9780060853983",
        year=None,
        shelf=Shelf.READ,
        rating=8.3125,
        at=_day(2023, 6, 15),
    )


@pytest.mark.parametrize(
    ("stars", "rating"),
    [("", None), ("0", None), ("0.0", None), ("0.25", 1.0), ("1", 1.0), ("3", 5.5), ("5.0", 10.0)],
)
def test_stars_become_ratings_from_1_to_10(stars: str, rating: float | None) -> None:
    assert _read_storygraph(star_rating=stars).rating == rating


@pytest.mark.parametrize(
    ("shelf", "meant"),
    [
        ("read", Shelf.READ), ("currently-reading", Shelf.READING), ("to-read", Shelf.TO_READ),
        ("dnf", Shelf.ABANDONED),
    ],
)  # fmt: skip
def test_goodreads_shelves(shelf: str, meant: Shelf) -> None:
    assert _read_goodreads(exclusive_shelf=shelf).shelf == meant


def test_a_shelf_of_ones_own_holds_books_that_were_read_if_they_have_a_date_or_a_count() -> None:
    assert _read_goodreads(exclusive_shelf="beach", date_read="2020/01/01").shelf == Shelf.READ
    assert _read_goodreads(exclusive_shelf="beach", read_count="1").shelf == Shelf.READ
    assert _read_goodreads(exclusive_shelf="beach", my_rating="3").rating == 5.5


def test_a_book_on_another_shelf_of_ones_own_is_left_out() -> None:
    library = read_library(write_goodreads([goodreads_row(exclusive_shelf="beach")]))

    assert (list(library.rows), len(library.left_out)) == ([], 1)


@pytest.mark.parametrize(
    ("status", "meant"),
    [
        ("read", Shelf.READ), ("currently-reading", Shelf.READING), ("paused", Shelf.READING),
        ("to-read", Shelf.TO_READ), ("did-not-finish", Shelf.ABANDONED),
    ],
)  # fmt: skip
def test_storygraph_states(status: str, meant: Shelf) -> None:
    assert _read_storygraph(read_status=status).shelf == meant


def test_the_day_on_which_it_was_added_stands_in_for_the_day_of_reading() -> None:
    assert _read_goodreads(date_added="2021/02/03").at == _day(2021, 2, 3)


@pytest.mark.parametrize("date", ["", "soon", "2023", "2023/13/01", "2999/01/01", "0001/01/01", "1969/12/31"])
def test_what_is_no_past_day_is_no_date(date: str) -> None:
    assert _read_goodreads(date_read=date).at is None


@pytest.mark.parametrize("uid", ["", "B07X1234", "a1b2c3", "9780441172710"])
def test_what_is_no_isbn_is_left_aside(uid: str) -> None:
    assert _read_storygraph(isbn=uid).isbn is None


def test_cells_with_formulas_are_text() -> None:
    row = _read_goodreads(title='="1984"', author="=HYPERLINK(1)")

    assert (row.title, row.authors) == ("1984", ("=HYPERLINK(1)",))


def test_columns_may_be_fewer_more_and_in_another_order() -> None:
    content = b"Exclusive Shelf,My Rating,Mood,Author,Title\nread,5,calm,Frank Herbert,Dune\n"

    [row] = read_library(content).rows

    assert (row.title, row.rating, row.at) == ("Dune", 10.0, None)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_that_a_file_tells(encoding: str) -> None:
    content = write_goodreads([goodreads_row("Thérèse Raquin")]).decode().encode(encoding)

    assert read_library(content).rows[0].title == "Thérèse Raquin"


def test_a_damaged_line_costs_itself_and_is_told() -> None:
    lines = write_goodreads([goodreads_row(f"Title {number}") for number in range(300)]).splitlines(
        keepends=True
    )
    lines[3] = b"\xff\xfe" + lines[3]
    lines[5] = b"x\0" + lines[5]
    lines[7] = b"one,two\n"
    lines[9] = lines[9].replace(b",0,", b",seven,", 1)
    lines[11] = lines[11].replace(b"Title 10", b"")

    library = read_library(b"".join(lines))

    assert [(each.line, each.reason) for each in library.left_out] == [
        (4, "bytes that are no text"),
        (6, "NUL byte"),
        (8, "too few fields"),
        (10, "the rating is no number of stars from 0 to 5"),
        (12, "no title"),
    ]
    assert len(library.rows) == 295


@pytest.mark.parametrize("stars", ["-1", "6", "nan", "inf", "1e9", "five", "٣٣"])
def test_ratings_off_the_scale_cost_their_row(stars: str) -> None:
    library = read_library(write_goodreads([goodreads_row(my_rating=stars)]))

    assert (len(library.rows), len(library.left_out)) == (0, 1)


def test_reviews_may_have_several_lines() -> None:
    rows = [goodreads_row("Dune", my_review='One.\n\n"Two", and\nthree.'), goodreads_row("Emma")]

    library = read_library(write_goodreads(rows))

    assert [(row.line, row.title) for row in library.rows] == [(2, "Dune"), (6, "Emma")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no rows"),
        (b" \n ", "holds no rows"),
        (",".join(GOODREADS).encode() + b"\n", "holds no rows"),
        (
            b"Name,Price\nDune,3\n",
            "line 1: expected the columns 'Title', 'Author', 'My Rating', 'Exclusive Shelf'",
        ),
        (b"Title,Author,My Rating\nDune,Herbert,3\n", "the columns 'Exclusive Shelf'"),
        (
            ",".join(STORYGRAPH[1:]).encode() + b"\nx\n",
            "the columns 'Title' of an export of goodreads or storygraph",
        ),
        (b"PK\x03\x04" + b"\0" * 100, "a zip archive"),
        (b"PK\x03\x04 [Content_Types].xml", "an Excel workbook"),
        (b"\x1f\x8b\x08\x00", "a gzip file"),
        (b"<!doctype html><html>", "a web page"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, "expected"),
        (b"{}", "expected the columns"),
    ],
)
def test_what_is_no_export_is_called_what_it_is(content: bytes, said: str) -> None:
    with pytest.raises((SourceFileEmpty, SourceFormatWrong), match="the library") as raised:
        read_library(content)

    assert said in str(raised.value)


def test_a_wrong_encoding_is_told_with_its_first_line() -> None:
    rows = [goodreads_row("Thérèse Raquin" if number % 2 else "Emma") for number in range(20)]

    with pytest.raises(SourceFormatWrong, match=r"line 3: .*name its encoding"):
        read_library(write_goodreads(rows).decode().encode("latin-1"))


def test_more_rows_than_one_reader_has_are_refused() -> None:
    line = b"read,5,Frank Herbert,Dune\n"

    with pytest.raises(SourceFormatWrong, match=r"line 10,002: expected at most 10,000 books"):
        read_library(b"Exclusive Shelf,My Rating,Author,Title\n" + line * (MOST_ROWS + 1))


@pytest.mark.parametrize(
    "content", [b"Title" + b"," * 1_000_000, b'Title,"' + b"a" * 1_000_000, b"\n" * 100_000, b'"' * 300_000]
)
def test_monsters_are_refused(content: bytes) -> None:
    with pytest.raises(SourceError):
        read_library(content)
