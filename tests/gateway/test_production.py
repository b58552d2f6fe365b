"""`BOOKMESH_PRODUCTION`: what is good for one machine alone is refused, each by its name, and all at once."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from catalog import accounts
from catalog.accounts import DEMO_EMAIL, Credentials
from catalog.database import Database
from gateway.errors import UnsafeSettings
from gateway.production import check_production
from gateway.settings import GatewaySettings
from tests.empty_catalogs import open_empty_catalog
from tests.homes import Home

SAFE = {
    "BOOKMESH_PRODUCTION": "true",
    "BOOKMESH_GATEWAY__ACCOUNTS__SECRET": "s" * 32,
    "BOOKMESH_GATEWAY__TRUSTED_PROXIES": "10.0.0.7",
    "BOOKMESH_MAIL__SMTP_URL": "smtps://mail.example.org",
    "BOOKMESH_MAIL__SENDER": "books@example.org",
}
NEEDED = [name for name in SAFE if name != "BOOKMESH_PRODUCTION"]
ALS_ELSEWHERE = {"BOOKMESH_GATEWAY__MESH__URLS__ALS": "http://10.0.0.9:8103"}


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with closing(open_empty_catalog(tmp_path / "catalog.db")) as db:
        yield db


@pytest.fixture
def safe(environment: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment of settings that are safe, to change one of."""
    for name, value in {**SAFE, "BOOKMESH_HOME": str(tmp_path)}.items():
        environment.setenv(name, value)
    return environment


def find_refused(db: Database) -> list[str]:
    try:
        check_production(GatewaySettings(), db)
    except UnsafeSettings as refused:
        assert all(name in str(refused) for name in refused.remedies)
        return list(refused.remedies)
    return []


@pytest.mark.parametrize("missing", NEEDED)
def test_each_unsafe_default_is_refused_by_name(missing: str, safe: pytest.MonkeyPatch, db: Database) -> None:
    safe.delenv(missing)

    assert find_refused(db) == [missing]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BOOKMESH_GATEWAY__TRUSTED_PROXIES", "10.0.0.7, 0.0.0.0/0"),
        ("BOOKMESH_GATEWAY__TRUSTED_PROXIES", "::/0"),
        ("BOOKMESH_GATEWAY__CORS_ORIGINS", '["*"]'),
        ("BOOKMESH_GATEWAY__CORS_ORIGINS", '["https://books.example", "http://books.example"]'),
        ("BOOKMESH_GATEWAY__ACCOUNTS__PAGE_URL", "http://books.example/account"),
        ("BOOKMESH_REDIS_URL", "redis://10.0.0.8:6379/0"),
        ("BOOKMESH_REDIS_URL", "redis://name@cache.example:6379/0"),
    ],
)
def test_each_unsafe_value_is_refused_by_name(
    name: str, value: str, safe: pytest.MonkeyPatch, db: Database
) -> None:
    safe.setenv(name, value)

    assert find_refused(db) == [name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BOOKMESH_GATEWAY__CORS_ORIGINS", '["https://books.example"]'),
        ("BOOKMESH_GATEWAY__ACCOUNTS__PAGE_URL", "https://books.example/account"),
        ("BOOKMESH_REDIS_URL", "redis://127.0.0.1:6379/0"),
        ("BOOKMESH_REDIS_URL", "redis://[::1]:6379/0"),
        ("BOOKMESH_REDIS_URL", "unix:///run/redis.sock"),
        ("BOOKMESH_REDIS_URL", "rediss://:secret@cache.example:6379/0"),
    ],
)
def test_what_is_set_well_is_served_by(name: str, value: str, safe: pytest.MonkeyPatch, db: Database) -> None:
    safe.setenv(name, value)

    assert find_refused(db) == []


def test_servers_elsewhere_need_a_mesh_token(safe: pytest.MonkeyPatch, db: Database, tmp_path: Path) -> None:
    safe.setenv(*next(iter(ALS_ELSEWHERE.items())))
    assert find_refused(db) == ["BOOKMESH_MESH_TOKEN"]

    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "mesh").write_text("m" * 32)
    (tmp_path / "secrets" / "mesh").chmod(0o600)

    assert find_refused(db) == []


def test_nobody_outside_meets_the_account_of_the_demo(safe: pytest.MonkeyPatch, db: Database) -> None:
    with db.session(write=True) as session:
        user_id = accounts.create_reader(session, Credentials(DEMO_EMAIL, "Demo", "no hash"))

    with pytest.raises(UnsafeSettings, match=f"`bookmesh users delete {user_id}`"):
        check_production(GatewaySettings(), db)


def test_all_that_must_change_is_listed_at_once(environment: pytest.MonkeyPatch, db: Database) -> None:
    for name, value in {"BOOKMESH_PRODUCTION": "true", **ALS_ELSEWHERE}.items():
        environment.setenv(name, value)

    assert set(find_refused(db)) == {*NEEDED, "BOOKMESH_MESH_TOKEN"}


def test_one_machine_is_served_by_the_defaults(environment: pytest.MonkeyPatch, db: Database) -> None:
    assert not GatewaySettings().production
    assert find_refused(db) == []


@pytest.mark.parametrize("words", [("up",), ("serve", "gateway")])
def test_nothing_starts_by_them(imported_home: Home, words: tuple[str, ...]) -> None:
    message = imported_home.fail(*words, code=2, BOOKMESH_PRODUCTION="true")

    assert all(name in message for name in NEEDED)
    assert "`bookmesh users delete " in message
    assert not (imported_home.path / "secrets" / "signing").exists()
