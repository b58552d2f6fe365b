"""`bookmesh recommend`, `similar` and `search`: the gateway's lists as tables."""

import pytest

from catalog.isbn import to_isbn10
from tests.homes import Home
from tests.meshes import Mesh

pytestmark = pytest.mark.loopback


def body_rows(table: str) -> list[list[str]]:
    """The cells of every book's row."""
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in table.splitlines() if "│" in line]
    return [row for row in cells if row and row[0].isdigit()]


def check_rows(table: str, body: dict[str, list[dict[str, object]]]) -> None:
    """The table shows these books, in this order."""
    rows = body_rows(table)
    assert [row[1] for row in rows] == [str(item["book_id"]) for item in body["items"]]
    assert all(row[2] == item["title"] for row, item in zip(rows, body["items"], strict=True))


def test_recommend_prints_the_readers_list_with_titles(mesh: Mesh) -> None:
    table = mesh.home.succeed("recommend", "5", "-k", "4")

    check_rows(table, mesh.get("/v1/users/5/recommendations", k=4))
    assert f"collaborative · version {mesh.home.store.current()}" in table


def test_recommend_passes_the_mode_on(mesh: Mesh) -> None:
    table = mesh.home.succeed("recommend", "5", "-k", "4", "--mode", "popular")

    check_rows(table, mesh.get("/v1/users/5/recommendations", k=4, mode="popular"))


def test_similar_takes_a_book_id_or_any_isbn(mesh: Mesh) -> None:
    [isbn, *_] = next(
        item["isbns"] for item in mesh.get("/v1/books/popular", k=50)["items"] if to_isbn10(item["isbns"][0])
    )
    book_id = mesh.get(f"/v1/books/isbn/{isbn}")["book_id"]
    expected = mesh.get(f"/v1/books/{book_id}/similar", k=5)

    for name in (str(book_id), str(to_isbn10(isbn)), f"{isbn[:3]}-{isbn[3:]}"):
        check_rows(mesh.home.succeed("similar", name, "-k", "5"), expected)


def test_search_prints_what_the_words_find(mesh: Mesh) -> None:
    table = mesh.home.succeed("search", "lighthouse", "-k", "3")

    assert body_rows(table)[0][2:4] == ["To the Lighthouse", "Virginia Woolf"]


def test_search_by_meaning_queries_the_semantic_server(mesh: Mesh) -> None:
    table = mesh.home.succeed("search", "a voyage over the sea [/]", "--semantic", "-k", "3")

    check_rows(table, mesh.get("/v1/search/semantic", q="a voyage over the sea [/]", k=3))
    assert "semantic · version" in table


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("recommend", "999999"), "user_not_found"),
        (("similar", "9780306406158"), "isbn_invalid"),
        (("similar", "emma"), "invalid_request"),
    ],
)
def test_what_the_gateway_refuses_is_shown_with_its_code(
    mesh: Mesh, arguments: tuple[str, ...], code: str
) -> None:
    assert code in mesh.home.fail(*arguments)


def test_without_a_gateway_the_message_explains_how_to_start_one(empty_home: Home) -> None:
    assert "bookmesh up" in empty_home.fail("recommend", "1", BOOKMESH_GATEWAY__PORT="9")
