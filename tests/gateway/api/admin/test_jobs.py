"""What takes longer than a request: a gateway queues it, whatever folder it may write to, and tells of it."""

import json
import time
from typing import Any

import httpx
import pytest
from sqlalchemy import insert

from catalog import jobs
from catalog.database import Database
from catalog.tables import StoredReport
from tests.gateway.accounts.people import Person, code_of, sign_up
from tests.gateway.api.admin.deeds import PATH, do, read_last_entry

OTHER = "20200101T000000Z-000000"
WISHES: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    ("/promote", {"version": OTHER}, "promote", {"version": OTHER, "force": False}),
    ("/rollback", {"from_version": OTHER}, "rollback", {"from_version": OTHER}),
    ("/refresh", {}, "refresh", {}),
    ("/train", {}, "train", {}),
    ("/imports", {"source": "goodbooks", "folder": "gb"}, "import", {"source": "goodbooks", "folder": "gb"}),
    (
        "/imports",
        {"source": "csv", "folder": "a/b", "scale": "1-5"},
        "import",
        {"source": "csv", "folder": "a/b", "scale": "1-5"},
    ),
]


@pytest.mark.parametrize(("path", "body", "kind", "params"), WISHES)
def test_a_wish_is_queued_once_while_it_waits(
    admin: Person, path: str, body: dict[str, Any], kind: str, params: dict[str, Any]
) -> None:
    first, again = (admin.ask("POST", f"{PATH}{path}", {**body}) for _ in range(2))

    job = first.json()
    assert (first.status_code, again.status_code) == (202, 202)
    assert (job["kind"], job["params"], job["state"]) == (kind, params, "queued")
    assert first.headers["location"] == again.headers["location"] == f"{PATH}/jobs/{job['job_id']}"
    shown = admin.get(first.headers["location"])
    assert (shown["job_id"], shown["started_at"], shown["outcome"]) == (job["job_id"], None, None)
    assert read_last_entry(admin) == (kind, f"job {job['job_id']}", {"params": params})


def test_two_admins_with_one_wish_make_one_job_and_two_entries(client: httpx.Client, admin: Person) -> None:
    second = sign_up(client)
    do(admin, "PUT", f"/users/{second.user_id}/role", {"role": "admin"})

    ids = {
        do(each, "POST", "/promote", {"version": OTHER, "force": True, "why": why}, status=202)["job_id"]
        for each, why in ((admin, "better"), (second, None))
    }

    assert len(ids) == 1
    entries = do(admin, "GET", f"/audit?target=job {ids.pop()}", status=200)["items"]
    assert [entry["actor"] for entry in entries] == [f"user {second.user_id}", f"user {admin.user_id}"]
    assert [entry["detail"].get("why") for entry in entries] == [None, "better"]


@pytest.mark.parametrize(
    "folder",
    [
        "..",
        "../x",
        "/etc",
        "a/../b",
        "a//b",
        "a/",
        ".ssh",
        "a/.b",
        "",
        "a\0b",
        "a\\b",
        "~root",
        "a" * 201,
        "a\n",
    ],
)
def test_no_path_leads_out_of_the_folder_of_imports(admin: Person, folder: str) -> None:
    for body in (
        {"source": "goodbooks", "folder": folder},
        {"source": "csv", "folder": "a", "mapping": folder},
        {"source": "book-crossing", "folder": "a", "open_library": folder},
    ):
        assert code_of(admin.ask("POST", f"{PATH}/imports", body)) == (422, "invalid_request")


@pytest.mark.parametrize(
    "body",
    [
        {"source": "demo", "folder": "a"},
        {"source": "export", "folder": "a"},
        {"source": "goodbooks", "folder": "a", "mapping": "b"},
        {"source": "csv", "folder": "a", "mapping": "a/m.toml", "scale": "1-5"},
    ],
)
def test_an_import_that_makes_no_sense_is_refused(admin: Person, body: dict[str, str]) -> None:
    assert admin.ask("POST", f"{PATH}/imports", body).status_code == 422


def test_a_job_is_listed_told_of_and_cancelled(admin: Person, db: Database) -> None:
    job_id = do(admin, "POST", "/train", {"why": "many ratings"}, status=202)["job_id"]

    cancelled = do(admin, "POST", f"/jobs/{job_id}/cancel", status=200)
    again = admin.ask("POST", f"{PATH}/jobs/{job_id}/cancel")

    assert (cancelled["state"], cancelled["outcome"]) == ("cancelled", f"cancelled by user {admin.user_id}")
    assert code_of(again) == (409, "job_ended")
    page = do(admin, "GET", "/jobs?limit=2", status=200)
    with db.session() as session:
        assert page["total"] == jobs.count_jobs(session)
    assert [each["job_id"] for each in page["items"]] == sorted(
        (each["job_id"] for each in page["items"]), reverse=True
    )
    assert code_of(admin.ask("GET", f"{PATH}/jobs/987654")) == (404, "job_not_found")
    assert read_last_entry(admin) == ("cancel-job", f"job {job_id}", {})


def test_versions_are_those_of_the_store(admin: Person, version: str) -> None:
    [line] = do(admin, "GET", "/versions", status=200)["items"]
    shown = do(admin, "GET", f"/versions/{version}", status=200)

    assert (line["version"], line["is_current"], line["passed"]) == (version, True, True)
    assert (shown["version"], shown["is_current"], shown["refresh_of"]) == (version, True, None)
    assert shown["counts"]["books"] == 12
    assert code_of(admin.ask("GET", f"{PATH}/versions/{OTHER}")) == (404, "version_not_found")
    assert admin.ask("GET", f"{PATH}/versions/latest").status_code == 422


def test_imports_tell_what_they_did(admin: Person, db: Database) -> None:
    report = {
        "source": "shop", "started_at": "2026-11-20T12:00:00+00:00", "seconds": 1.5,
        "files": [
            {"name": "r.csv", "n_read": 3, "n_kept": 2, "dropped": {"no book": 1}, "lines": {"no book": [3]}}
        ],
        "repairs": {}, "totals": {"books": 2}, "changes": {"books": {"new": 2, "changed": 0, "unchanged": 0}},
    }  # fmt: skip
    with db.session(write=True) as session:
        values = {"source": "shop", "started_at": int(time.time()), "report": json.dumps(report)}
        session.execute(insert(StoredReport).values(values))

    page = do(admin, "GET", "/imports", status=200)
    shown = do(admin, "GET", f"/imports/{page['items'][0]['report_id']}", status=200)

    assert (page["total"], page["items"][0]["source"]) == (1, "shop")
    assert shown["files"] == report["files"]
    assert shown["changes"] == report["changes"]
    assert code_of(admin.ask("GET", f"{PATH}/imports/987654")) == (404, "report_not_found")
