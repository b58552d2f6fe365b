"""`bookmesh users`: accounts by command, and what is noted of it."""

import json
import sqlite3
import subprocess
from contextlib import closing
from typing import Any

from tests.homes import Home

PASSWORD = "correct horse battery staple"


def create_admin(home: Home, email: str, password: str = PASSWORD) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        home.command("users", "create-admin", email),
        cwd=home.checkout,
        env=home.environment(),
        input=f"{password}\n",
        capture_output=True,
        text=True,
        check=False,
    )


def read(home: Home, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(home.path / "catalog.db")) as connection:
        return connection.execute(query).fetchall()


def test_an_admin_is_made_promoted_and_demoted_and_the_log_tells(copied_home: Home) -> None:
    made = create_admin(copied_home, "Root@example.org")
    again = create_admin(copied_home, "root@example.org")
    copied_home.succeed("users", "demote", "root@example.org")
    copied_home.succeed("users", "promote", "ROOT@example.org")

    [(user_id, email, role)] = read(
        copied_home, "SELECT user_id, email, role FROM accounts WHERE email LIKE 'root@%'"
    )
    assert (made.stdout.strip(), email, role) == (str(user_id), "root@example.org", "admin")
    assert (again.returncode, "already" in again.stderr) == (1, True)
    log = read(copied_home, "SELECT actor, action, target, detail FROM audit_log ORDER BY entry_id")
    assert [(actor, action, target) for actor, action, target, _ in log] == [
        ("cli", "create-admin", f"user {user_id}"),
        ("cli", "set-role", f"user {user_id}"),
        ("cli", "set-role", f"user {user_id}"),
    ]
    assert json.loads(log[2][3]) == {"role": "admin"}
    assert PASSWORD not in made.stdout + made.stderr


def test_what_makes_no_account_is_told_in_a_sentence(copied_home: Home) -> None:
    assert "8 to 256 characters" in create_admin(copied_home, "root@example.org", "short").stderr
    assert "not an e-mail address" in copied_home.fail("users", "promote", "root")
    assert "no account has this e-mail" in copied_home.fail("users", "promote", "a@example.org")
    assert "no user 999999" in copied_home.fail("users", "claim-link", "999999")


def test_a_link_is_a_token_or_leads_to_the_page_of_the_settings(copied_home: Home) -> None:
    token = copied_home.succeed("users", "claim-link", "1").strip()
    link = copied_home.succeed(
        "users", "claim-link", "2", BOOKMESH_GATEWAY__ACCOUNTS__PAGE_URL="https://books.example/account"
    )

    assert len(token) == 43
    assert link.startswith("https://books.example/account#claim=")
    assert read(copied_home, "SELECT count(*) FROM one_time_tokens WHERE purpose = 'claim'") == [(2,)]
    assert token not in repr(read(copied_home, "SELECT * FROM one_time_tokens"))


def test_a_reader_is_deleted_with_everything_and_the_log_names_a_number_alone(copied_home: Home) -> None:
    user_id = create_admin(copied_home, "leaving@example.org").stdout.strip()

    asked = copied_home.run("users", "delete", user_id)
    copied_home.succeed("users", "delete", user_id, "--yes")

    assert asked.returncode == 1
    assert f"no user {user_id}" in copied_home.fail("users", "delete", user_id, "--yes")
    assert read(copied_home, f"SELECT count(*) FROM users WHERE user_id = {user_id}") == [(0,)]
    assert read(copied_home, f"SELECT action FROM audit_log WHERE target = 'user {user_id}'") == [
        ("create-admin",),
        ("delete",),
    ]
    assert "leaving" not in repr(read(copied_home, "SELECT * FROM audit_log"))
