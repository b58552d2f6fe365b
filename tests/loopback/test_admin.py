"""An admin runs the mesh by HTTP alone: what they wish the worker does, and the servers answer from it."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.homes import PATIENCE_S, Home
from tests.meshes import Mesh, running_mesh, wait_until

pytestmark = pytest.mark.loopback

EMAIL, PASSWORD = "admin@example.org", "correct horse battery staple"
TITLE = "The Quiet Lighthouse Keeper"
ENDED = ("done", "failed", "cancelled")


@dataclass(frozen=True)
class Admin:
    """Somebody who has logged in as one."""

    mesh: Mesh
    headers: dict[str, str]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        response = self.mesh.client.request(method, f"/v1/admin{path}", json=body, headers=self.headers)
        assert response.is_success, response.text
        return response.json()

    def have_done(self, path: str, body: Any) -> dict[str, Any]:
        """The job of a wish, once it has ended."""
        job: dict[str, Any] = self.ask("POST", path, body)
        shown = f"/jobs/{job['job_id']}"
        wait_until(lambda: self.ask("GET", shown)["state"] in ENDED, patience_s=PATIENCE_S)
        ended: dict[str, Any] = self.ask("GET", shown)
        return ended

    def read_current(self) -> str:
        """The version that the pointer names, as the servers tell it."""
        [current] = [line["version"] for line in self.ask("GET", "/versions")["items"] if line["is_current"]]
        return str(current)


@pytest.fixture
def admin(copied_home: Home) -> Iterator[Admin]:
    subprocess.run(
        copied_home.command("users", "create-admin", EMAIL),
        cwd=copied_home.checkout,
        env=copied_home.environment(),
        input=f"{PASSWORD}\n",
        text=True,
        check=True,
        capture_output=True,
    )
    with running_mesh(copied_home) as mesh:
        log_in = mesh.client.post("/v1/auth/login", json={"email": EMAIL, "password": PASSWORD})
        yield Admin(mesh, {"Authorization": f"Bearer {log_in.json()['access_token']}"})


def test_an_admin_imports_promotes_and_rolls_back(admin: Admin) -> None:
    mesh, first = admin.mesh, admin.read_current()
    shop = mesh.home.path / "imports" / "shop"
    shop.mkdir(parents=True)
    (shop / "ratings.csv").write_text("user_id,item_id,rating\n1,a,9\n")
    (shop / "items.csv").write_text(f"item_id,title\na,{TITLE}\n")

    imported = admin.have_done("/imports", {"source": "csv", "folder": "shop", "name": "shop"})
    missing = admin.have_done("/imports", {"source": "csv", "folder": "nothing"})

    assert (imported["state"], "books 1 new" in imported["outcome"]) == ("done", True)
    assert (missing["state"], "nothing: no such file" in missing["outcome"]) == ("failed", True)
    assert admin.ask("GET", "/imports")["items"][0]["source"] == "shop"
    wait_until(lambda: admin.read_current() != first, patience_s=PATIENCE_S)
    search = "/v1/search?q=quiet lighthouse keeper"
    wait_until(lambda: TITLE in mesh.client.get(search).text, patience_s=PATIENCE_S)

    promoted = admin.have_done("/promote", {"version": first})
    nothing = admin.have_done("/rollback", {"from_version": "20200101T000000Z-000000"})
    last = admin.have_done("/rollback", {"from_version": first})

    assert (promoted["state"], promoted["outcome"]) == ("done", f"{first} is current")
    assert f"job {promoted['job_id']}" in [move.by for move in mesh.home.store.promotions()]
    assert nothing["state"] == "done"
    assert "nothing was rolled back" in nothing["outcome"]
    assert (last["state"], last["outcome"].startswith("no version was promoted before")) == ("failed", True)
    actions = [entry["action"] for entry in admin.ask("GET", "/audit")["items"]]
    assert actions[:5] == ["rollback", "rollback", "promote", "import", "import"]
