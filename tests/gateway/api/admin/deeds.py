"""What tests of admins ask again and again."""

from typing import Any

from tests.gateway.accounts.people import Person

PATH = "/v1/admin"


def do(admin: Person, method: str, path: str, body: Any = None, *, status: int = 204) -> Any:
    """The body of the answer to a request that must have this status; None if it has none."""
    response = admin.ask(method, f"{PATH}{path}", body)
    assert response.status_code == status, response.text
    return response.json() if response.content else None


def read_last_entry(admin: Person) -> tuple[str, str, dict[str, Any]]:
    """Action, target and detail of what stands last in the audit log, which must be the admin's."""
    [entry] = do(admin, "GET", "/audit?limit=1", status=200)["items"]
    assert entry["actor"] == f"user {admin.user_id}"
    return entry["action"], entry["target"], entry["detail"]
