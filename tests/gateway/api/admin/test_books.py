"""What admins do with books, editions, authors and subjects: as the commands do it, and written down."""

import httpx
import pytest

from catalog.database import Database
from catalog.errors import EditConflict
from catalog.jobs import JobKind, list_jobs
from gateway.api.admin import deeds as deeds_module
from tests.gateway.accounts.people import Person, code_of
from tests.gateway.api.admin.deeds import do, read_last_entry


def list_ids(admin: Person, query: str) -> list[int]:
    return [each["book_id"] for each in do(admin, "GET", f"/books?{query}", status=200)["items"]]


def add(admin: Person, title: str, **fields: object) -> int:
    return int(do(admin, "POST", "/books", {"title": title, **fields}, status=201)["book_id"])


def test_a_book_is_added_changed_and_refreshed(admin: Person, db: Database) -> None:
    book_id = add(admin, "Tides", authors=["Ann Ash"], subjects=["Space"], isbns=["9780306406157"], year=2001)
    added = read_last_entry(admin)
    do(admin, "PATCH", f"/books/{book_id}", {"year": None, "n_pages": 99})

    book = do(admin, "GET", f"/books/{book_id}", status=200)
    assert (book["title"], book["authors"], book["isbns"]) == ("Tides", ["Ann Ash"], ["9780306406157"])
    assert (book["year"], book["n_pages"], book["source"]) == (None, 99, "bookmesh")
    assert added == ("add-book", f"book {book_id}", {})
    assert read_last_entry(admin) == ("change-book", f"book {book_id}", {"fields": ["n_pages", "year"]})
    with db.session() as session:
        assert list_jobs(session, limit=1)[0].kind == JobKind.REFRESH


def test_what_readers_do_not_see_is_listed(admin: Person, client: httpx.Client) -> None:
    gone = add(admin, "A Withdrawn Tale")
    do(admin, "POST", f"/books/{gone}/withdraw")

    assert list_ids(admin, "visibility=withdrawn") == [gone]
    assert list_ids(admin, "title=WITHDRAWN tale") == [gone]
    assert gone not in list_ids(admin, "visibility=shown&limit=500")
    assert client.get(f"/v1/books/{gone}").status_code == 404
    assert read_last_entry(admin)[0] == "withdraw-book"
    do(admin, "POST", f"/books/{gone}/restore")
    assert read_last_entry(admin)[0] == "restore-book"
    assert list_ids(admin, "visibility=withdrawn") == []


def test_a_list_has_pages(admin: Person) -> None:
    page = do(admin, "GET", "/books?limit=2&offset=1", status=200)

    assert [each["book_id"] for each in page["items"]] == [22, 33]
    assert page["total"] >= 13


def test_a_book_is_merged_and_split(admin: Person) -> None:
    part, heir = add(admin, "Tides, Part One"), add(admin, "Tides, Complete")

    do(admin, "POST", f"/books/{part}/merge", {"into": heir})
    merged = read_last_entry(admin)
    assert list_ids(admin, "visibility=merged") == [part]
    split = do(admin, "POST", f"/books/{part}/split", status=200)

    assert merged == ("merge-book", f"book {part}", {"into": heir})
    assert split == {"former": heir}
    assert list_ids(admin, "visibility=merged") == []


@pytest.mark.parametrize(
    ("method", "path", "body", "answer"),
    [
        ("POST", "/books/11/split", None, (409, "edit_conflict")),
        ("POST", "/books/11/restore", None, (409, "edit_conflict")),
        ("POST", "/books/11/merge", {"into": 11}, (409, "edit_conflict")),
        ("POST", "/books/11/merge", {"into": 987654}, (404, "book_not_found")),
        ("PATCH", "/books/987654", {"year": 1999}, (404, "book_not_found")),
        ("PATCH", "/books/11", {}, (422, "invalid_request")),
        ("PATCH", "/books/11", {"title": None}, (422, "invalid_request")),
        ("PATCH", "/books/11", {"year": 0}, (422, "invalid_request")),
        ("PATCH", "/books/11", {"language": "en"}, (422, "invalid_request")),
        ("PATCH", "/books/11", {"authors": ["\0"]}, (422, "invalid_request")),
        ("POST", "/books", {"title": "X", "isbns": ["12345"]}, (422, "isbn_invalid")),
        ("POST", "/books/22/editions", {"isbn": "9780441478125"}, (409, "edit_conflict")),
        ("PUT", "/editions/9791090648524", {"book_id": 11}, (404, "book_not_found")),
        ("DELETE", "/editions/no-isbn", None, (422, "isbn_invalid")),
        ("PATCH", "/authors/987654", {"name": "Ann Ash"}, (404, "author_not_found")),
        ("PATCH", "/authors/1", {"name": "Author 2"}, (409, "edit_conflict")),
        ("POST", "/authors/1/merge", {"into": 987654}, (404, "author_not_found")),
        ("POST", "/subjects/merge", {"name": "Soup", "into": "Fog"}, (422, "unknown_subjects")),
        ("POST", "/subjects/withdraw", {"name": "Fog"}, (422, "unknown_subjects")),
        ("POST", "/subjects/restore", {"name": "Soup"}, (422, "unknown_subjects")),
    ],
)
def test_what_cannot_be_is_refused_and_not_written_down(
    admin: Person, method: str, path: str, body: object, answer: tuple[int, str]
) -> None:
    n_entries = do(admin, "GET", "/audit", status=200)["total"]

    assert code_of(admin.ask(method, f"/v1/admin{path}", body)) == answer
    assert do(admin, "GET", "/audit", status=200)["total"] == n_entries


def test_a_change_that_cannot_be_written_down_is_not_made(
    admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise EditConflict("the log is full")

    with monkeypatch.context() as patched:
        patched.setattr(deeds_module.audit, "record", fail)
        response = admin.ask("POST", "/v1/admin/books", {"title": "Never Written"})

    assert code_of(response) == (409, "edit_conflict")
    assert list_ids(admin, "title=never written") == []


def test_an_edition_is_added_moved_and_removed(admin: Person) -> None:
    first, second = add(admin, "Harbour"), add(admin, "Harbour Lights")
    isbn = "9783161484100"

    do(admin, "POST", f"/books/{first}/editions", {"isbn": isbn, "year": 1999})
    assert read_last_entry(admin) == ("add-edition", f"book {first}", {"isbn": isbn})
    moved = do(admin, "PUT", f"/editions/{isbn}", {"book_id": second}, status=200)
    assert read_last_entry(admin) == ("move-edition", f"book {second}", {"isbn": isbn})
    removed = do(admin, "DELETE", f"/editions/{isbn}", status=200)

    assert (moved, removed) == ({"former": first}, {"former": second})
    assert read_last_entry(admin) == ("remove-edition", f"book {second}", {"isbn": isbn})


def test_an_author_is_renamed_and_merged(admin: Person) -> None:
    names = ["Bo Beech", "Bo Birch"]
    book_id = add(admin, "Woods", authors=names)
    ids = {each["name"]: each["author_id"] for each in admin.get("/v1/authors?prefix=bo&limit=9")["items"]}

    do(admin, "PATCH", f"/authors/{ids['Bo Beech']}", {"name": "Bob Beech"})
    renamed = read_last_entry(admin)
    do(admin, "POST", f"/authors/{ids['Bo Birch']}/merge", {"into": ids["Bo Beech"]})

    assert do(admin, "GET", f"/books/{book_id}", status=200)["authors"] == ["Bob Beech"]
    assert renamed == ("rename-author", f"author {ids['Bo Beech']}", {"spelling": "Bob Beech"})
    assert read_last_entry(admin)[0] == "merge-author"


def test_a_subject_is_renamed_merged_withdrawn_and_found_again(admin: Person) -> None:
    book_id = add(admin, "Of Fish", subjects=["Angling", "Nets"])

    do(admin, "POST", "/subjects/rename", {"name": "angling", "new_name": "Fishing"})
    do(admin, "POST", "/subjects/merge", {"name": "Nets", "into": "Fishing"})
    assert read_last_entry(admin) == ("merge-subject", "subject", {"subject": "Nets", "into": "Fishing"})
    assert do(admin, "GET", f"/books/{book_id}", status=200)["subjects"] == ["Fishing"]
    do(admin, "POST", "/subjects/withdraw", {"name": "Fishing"})
    assert "fishing" in do(admin, "GET", "/subjects/withdrawn", status=200)["items"]
    do(admin, "POST", "/subjects/restore", {"name": "fishing"})

    assert "fishing" not in do(admin, "GET", "/subjects/withdrawn", status=200)["items"]
    assert read_last_entry(admin)[0] == "restore-subject"
