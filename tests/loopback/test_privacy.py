"""E-mail, name and password of a reader stay in the tables of accounts, and in mails."""

from pathlib import Path

import pytest

from tests.homes import Home
from tests.meshes import running_mesh, wait_until

pytestmark = pytest.mark.loopback

EMAIL, NAME, PASSWORD = "zenobia.quagmire@example.org", "Zenobia Quagmire", "xylophone zeppelin quartz"
SECRETS = [each.encode() for each in (EMAIL, NAME, PASSWORD, "zenobia", "Zenobia")]
REFUSED_BY_GATE = 3
MAY_HOLD = ("catalog.db", "outbox/")
"""The database itself, and mails that have not been sent."""


def find_holders(folder: Path) -> list[str]:
    """Files of a folder that hold anything of what must not be there, as their bytes are."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert len(files) > 5
    names = {str(file.relative_to(folder)): file.read_bytes() for file in files}
    return [name for name, content in names.items() if any(each in content for each in SECRETS)]


def live_here(home: Home) -> None:
    """All that a reader does with an account, in a mesh whose logs are files of the home."""
    with running_mesh(home, BOOKMESH_TELEMETRY__LOG_LEVEL="debug") as mesh:
        form = {"email": EMAIL, "name": NAME, "password": PASSWORD, "loved_books": [241, 243, 5]}
        tokens = mesh.client.post("/v1/auth/signup", json=form).json()
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        again = mesh.client.post("/v1/auth/signup", json=form)
        wrong = mesh.client.post("/v1/auth/login", json={"email": EMAIL, "password": f"{PASSWORD}!"})
        bad = mesh.client.post("/v1/auth/signup", json={**form, "age_group": EMAIL, "country": NAME})
        mesh.client.post("/v1/auth/reset", json={"email": EMAIL})
        wait_until(lambda: list(home.path.glob("outbox/*.eml")))
        for path in ("/v1/me", "/v1/me/export", "/v1/me/recommendations", "/v1/me/ratings"):
            assert mesh.client.get(path, headers=headers).status_code == 200
    assert (again.status_code, wrong.status_code, bad.status_code) == (409, 401, 422)


def test_no_export_artifact_or_log_holds_who_a_reader_is(copied_home: Home, tmp_path: Path) -> None:
    live_here(copied_home)
    trained = copied_home.run("train")
    copied_home.succeed("data", "export", str(tmp_path / "export"), "--format", "csv")

    holders = find_holders(copied_home.path)

    assert trained.returncode in (0, REFUSED_BY_GATE)  # sealed either way
    assert {name for name in holders if not name.startswith(MAY_HOLD)} == set()
    assert any(name.startswith("catalog.db") for name in holders)
    assert find_holders(tmp_path / "export") == []
