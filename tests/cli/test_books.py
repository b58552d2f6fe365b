"""`bookmesh books`: merges are listed, and a wrong one is undone."""

import sqlite3
from pathlib import Path

import pytest

from tests.homes import Home

ITEMS = "item,title,author\nA,Ash,Ada Lovelace\nB,{title},Ada Lovelace\n"
RATINGS = "user,item,rating\n1,A,9\n2,B,4\n"


@pytest.fixture
def shop(empty_home: Home, tmp_path: Path) -> Home:
    """A catalog whose item B was a book of its own until it was given the title of A."""
    for title in ("Birch", "Ash"):
        import_items(empty_home, tmp_path / "files", title)
    return empty_home


def import_items(home: Home, folder: Path, title: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "items.csv").write_text(ITEMS.format(title=title))
    (folder / "ratings.csv").write_text(RATINGS)
    home.succeed("import", "csv", str(folder), "--name", "shop")


def rated_books(home: Home) -> list[tuple[str, float]]:
    """What was rated, by the id of the shop."""
    query = "SELECT external_id, rating FROM ratings JOIN books USING (book_id) ORDER BY user_id"
    connection = sqlite3.connect(home.path / "catalog.db")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_a_merge_is_listed_split_and_not_made_again(shop: Home, tmp_path: Path) -> None:
    merged = rated_books(shop)
    [listed] = [line for line in shop.succeed("books", "merges").splitlines() if "shop B" in line]
    book = listed.split("│")[1].strip()

    done = shop.run("books", "split", book)
    split = rated_books(shop)
    import_items(shop, tmp_path / "files", "Ash")

    assert merged == [("A", 9.0), ("A", 4.0)]
    assert done.stdout == f"book {book} is no part of book 1 any more\n"
    assert '"event":"book_split"' in done.stderr
    assert split == rated_books(shop) == [("A", 9.0), ("B", 4.0)]
    assert "shop B" not in shop.succeed("books", "merges")


def test_a_book_that_was_not_merged_is_not_split(shop: Home) -> None:
    assert "book 1 was not merged into another" in shop.fail("books", "split", "1")
    assert "no book 99" in shop.fail("books", "split", "99")
