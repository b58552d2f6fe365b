"""Starting the gateway."""

from pathlib import Path

import pytest

from catalog.errors import DatabaseNotMigrated
from gateway.app import create_app
from gateway.settings import GatewaySettings
from tests.gateway import running


async def test_a_catalog_without_tables_is_refused_at_start_up(tmp_path: Path) -> None:
    app = create_app(running.settings_for(tmp_path, {}))

    with pytest.raises(DatabaseNotMigrated, match="import"):
        async with app.router.lifespan_context(app):
            pass


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BOOKMESH_HOME", str(tmp_path))
    monkeypatch.setenv("BOOKMESH_GATEWAY__MESH__URLS__ALS", "http://10.0.0.7:8103/")
    monkeypatch.setenv("BOOKMESH_GATEWAY__DEADLINE_S", "1.5")

    settings = GatewaySettings()

    assert settings.gateway.mesh.server_urls()["als"] == "http://10.0.0.7:8103"
    assert settings.gateway.mesh.server_urls()["metadata"] == "http://127.0.0.1:8104"
    assert settings.catalog_url == f"sqlite:///{tmp_path / 'catalog.db'}"
    assert settings.gateway.deadline_s == 1.5


def test_a_database_s_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOKMESH_DATABASE_URL", "mysql+pymysql://me:hunter2@db/bookmesh")

    settings = GatewaySettings()

    assert "hunter2" not in repr(settings)
    assert settings.catalog_url == "mysql+pymysql://me:hunter2@db/bookmesh"
