"""Books by id and by the ISBN of any edition, and the pages of subjects."""

import pytest

from catalog.isbn import to_isbn10
from tests.homes import N_BOOKS
from tests.meshes import Mesh

pytestmark = pytest.mark.loopback


def ways_to_write(isbn13: str) -> list[str]:
    """An ISBN with and without hyphens, of 13 digits and, where there is one, of 10."""
    ways = [isbn13, f"{isbn13[:3]}-{isbn13[3]}-{isbn13[4:7]}-{isbn13[7:12]}-{isbn13[12]}"]
    if isbn10 := to_isbn10(isbn13):
        ways += [isbn10, f"{isbn10[0]}-{isbn10[1:4]}-{isbn10[4:9]}-{isbn10[9]}", isbn10.lower()]
    return ways


@pytest.mark.parametrize("book_id", [1, 2, 50, 400, N_BOOKS])
def test_every_way_to_write_its_isbn_finds_a_book(mesh: Mesh, book_id: int) -> None:
    book = mesh.get(f"/v1/books/{book_id}")

    found = [mesh.get(f"/v1/books/isbn/{way}") for isbn in book["isbns"] for way in ways_to_write(isbn)]

    assert len(found) >= 2
    assert all(each == book for each in found)


def test_some_book_of_the_catalog_has_an_isbn_of_ten_digits(mesh: Mesh) -> None:
    books = mesh.get("/v1/books/popular", k=50)["items"]

    assert any(to_isbn10(isbn) for book in books for isbn in book["isbns"])


def test_a_book_tells_all_that_is_known_of_it(mesh: Mesh) -> None:
    book = mesh.get("/v1/search", q="To the Lighthouse", k=1)["items"][0]

    detail = mesh.get(f"/v1/books/{book['book_id']}")

    assert detail["authors"] == ["Virginia Woolf"]
    assert (detail["year"], detail["language"]) == (1927, "eng")
    assert detail["main_subject"] in detail["subjects"]
    assert detail["description"].endswith(".")
    assert detail["n_ratings"] > 0
    assert 1 <= detail["mean_rating"] <= 10


def test_pages_of_subjects_together_list_each_once_the_largest_first(mesh: Mesh) -> None:
    first = mesh.get("/v1/subjects", limit=40)
    pages = [
        mesh.get("/v1/subjects", limit=40, offset=offset)["items"] for offset in range(0, first["total"], 40)
    ]

    names = [row["name"] for page in pages for row in page]
    assert len(names) == len(set(names)) == first["total"]
    assert pages[0][0]["n_books"] == max(row["n_books"] for row in pages[0])


def test_a_prefix_finds_subjects_in_any_case(mesh: Mesh) -> None:
    rows = mesh.get("/v1/subjects", prefix="SCIENCE")["items"]

    assert "Science fiction" in [row["name"] for row in rows]
    assert all(row["name"].lower().startswith("science") for row in rows)
