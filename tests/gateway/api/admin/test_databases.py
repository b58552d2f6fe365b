"""What admins ask and change, in each of the servers that a catalog may be in."""

import httpx
import pytest
from sqlalchemy import update

from catalog.database import Database
from catalog.tables import Account, Role
from tests.gateway.accounts.people import Person, sign_up
from tests.gateway.accounts.test_databases import client, db
from tests.gateway.api.admin.deeds import do, read_last_entry
from tests.gateway.running import PICKY_READER, SOUP_FAN

__all__ = ["client", "db"]


@pytest.fixture(scope="module")
def admin(client: httpx.Client, db: Database) -> Person:
    person = sign_up(client)
    with db.session(write=True) as session:
        session.execute(update(Account).filter_by(user_id=person.user_id).values(role=Role.ADMIN))
    return person


def test_an_admin_changes_books_and_readers(admin: Person) -> None:
    title = "100% _Ordinary_ Ürban Tales"
    book_id = do(admin, "POST", "/books", {"title": title, "subjects": ["Towns"]}, status=201)["book_id"]
    do(admin, "POST", f"/books/{book_id}/withdraw")
    found = do(admin, "GET", "/books?visibility=withdrawn&title=100%25 _ordinary_", status=200)
    do(admin, "POST", f"/books/{book_id}/restore")
    do(admin, "POST", f"/books/{book_id}/merge", {"into": 22})
    do(admin, "POST", f"/books/{book_id}/split", status=200)
    do(admin, "POST", "/subjects/merge", {"name": "Towns", "into": "Space"})
    do(admin, "DELETE", f"/users/{PICKY_READER}")

    assert [each["book_id"] for each in found["items"]] == [book_id]
    assert read_last_entry(admin) == ("erase-user", f"user {PICKY_READER}", {})
    assert do(admin, "GET", "/users?source=tests", status=200)["total"] == 3
    assert do(admin, "GET", f"/users/{SOUP_FAN}", status=200)["n_ratings"] == 0
    assert do(admin, "GET", "/users?role=admin", status=200)["total"] == 1
    assert do(admin, "GET", f"/audit?actor=user {admin.user_id}&limit=3", status=200)["total"] == 7


def test_one_wish_is_one_job(admin: Person) -> None:
    jobs = [do(admin, "POST", "/train", {}, status=202) for _ in range(2)]

    assert jobs[0]["job_id"] == jobs[1]["job_id"]
    assert do(admin, "POST", f"/jobs/{jobs[0]['job_id']}/cancel", status=200)["state"] == "cancelled"
    assert do(admin, "GET", "/imports", status=200)["total"] == 0
