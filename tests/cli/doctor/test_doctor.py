"""`bookmesh doctor`: each thing is broken for real, and its line says what is wrong and what to do."""

import json
import socket
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from artifacts.store import ArtifactStore, utc_now
from cli.doctor import services, versions
from cli.doctor.finding import AllSettings
from gateway.settings import GatewaySettings
from notifications.settings import NotifySettings
from pipeline.settings import TrainSettings
from servers.shell.settings import ServerSettings
from tests.cli.test_train import small_disk
from tests.homes import Home
from tests.loopback.twin import seal_twin
from tests.mail.smtp import mail_server
from tests.meshes import Mesh, free_ports, port_settings
from tests.services import free_port
from worker.settings import WorkerSettings


@pytest.fixture(scope="session")
def free_home(trained_home: Home) -> Home:
    """A trained home whose ports nobody has."""
    return replace(trained_home, settings={**trained_home.settings, **port_settings(free_ports())})


@pytest.fixture
def home(free_home: Home, tmp_path: Path) -> Home:
    """One that a test may break."""
    copied = free_home.copy(tmp_path / "home")
    (copied.path / "catalog.db").chmod(0o600)
    return copied


@dataclass(frozen=True)
class Report:
    code: int
    findings: list[dict[str, Any]]

    def about(self, check: str, level: str) -> str:
        """What is said of this, if it is as bad as this."""
        lines = [
            f"{each['message']} → {each['remedy']}"
            for each in self.findings
            if (each["check"], each["level"]) == (check, level)
        ]
        assert lines, self.findings
        return "\n".join(lines)


def examine(home: Home, **settings: str) -> Report:
    done = home.run("doctor", "--json", **settings)
    return Report(done.returncode, json.loads(done.stdout))


def test_of_a_sound_home_all_is_well(home: Home) -> None:
    report = examine(home)

    assert [each for each in report.findings if each["level"] != "ok"] == []
    assert report.code == 0
    assert "is current and whole" in report.about("versions", "ok")
    assert "its ports are free" in report.about("ports", "ok")


def test_it_tells_in_80_columns_what_is_wrong_and_under_it_what_to_do(home: Home) -> None:
    (home.path / "artifacts" / "CURRENT").unlink()

    done = home.run("doctor", COLUMNS="80")

    assert done.returncode == 1
    lines = done.stdout.splitlines()
    [at] = [i for i, line in enumerate(lines) if line.startswith("failed   versions")]
    assert lines[at + 1].strip() == "→ `bookmesh train`"


def test_a_wrong_setting_is_named_and_all_else_waits(home: Home) -> None:
    report = examine(home, BOOKMESH_PORT="many")

    assert len(report.findings) == report.code == 1
    assert "BOOKMESH_PORT" in report.about("settings", "failed")


def test_what_is_unsafe_in_production_is_listed(home: Home) -> None:
    report = examine(home, BOOKMESH_PRODUCTION="true")

    assert "BOOKMESH_MAIL__SMTP_URL" in report.about("settings", "failed")
    assert "nobody is told" in report.about("notifications", "warning")


def test_a_home_that_is_not_there(empty_home: Home) -> None:
    report = examine(empty_home)

    assert "BOOKMESH_HOME" in report.about("home", "failed")
    assert not empty_home.path.exists()


def test_a_home_where_nothing_has_happened_yet(empty_home: Home) -> None:
    empty_home.path.mkdir()

    report = examine(empty_home)

    assert "bookmesh import" in report.about("database", "failed")
    assert "bookmesh train" in report.about("versions", "failed")
    assert list(empty_home.path.iterdir()) == []


def test_what_others_may_read_or_write(home: Home) -> None:
    (home.path / "secrets").mkdir(exist_ok=True)
    (home.path / "secrets").chmod(0o755)
    (home.path / "secrets" / "mesh").write_text("0123456789abcdef0123456789abcdef")
    (home.path / "secrets" / "mesh").chmod(0o644)
    (home.path / "catalog.db").chmod(0o640)
    home.path.chmod(0o777)

    report = examine(home)

    told = report.about("secrets", "failed")
    assert f"chmod 700 {home.path}/secrets" in told
    assert f"chmod 600 {home.path}/secrets/mesh" in told
    assert "catalog.db" in report.about("secrets", "warning")
    assert "chmod 600" in report.about("mesh token", "failed")
    assert f"chmod o-w {home.path}" in report.about("home", "failed")


def test_a_disk_without_room_for_the_next_version(free_home: Home, tmp_path: Path) -> None:
    home = replace(free_home, path=tmp_path / "home")
    with small_disk(home.path / "artifacts", size_bytes=1 << 20):
        report = examine(home)

    assert "bookmesh versions gc" in report.about("disk", "failed")


def test_a_database_that_is_away_or_outdated(home: Home) -> None:
    away = examine(home, BOOKMESH_DATABASE_URL=f"mysql+pymysql://me:hunter2@127.0.0.1:{free_port()}/x")
    with closing(sqlite3.connect(home.path / "catalog.db")) as connection:
        connection.execute("UPDATE schema_revision SET version_num = '0004'")
        connection.commit()
    outdated = examine(home)

    assert "BOOKMESH_DATABASE_URL" in away.about("database", "failed")
    assert "hunter2" not in str(away)
    assert "bookmesh migrate" in outdated.about("database", "failed")


def test_a_server_whose_database_may_not_be_written_to(home: Home, postgresql_url: str) -> None:
    home.succeed("migrate", BOOKMESH_DATABASE_URL=postgresql_url)
    well = examine(home, BOOKMESH_DATABASE_URL=postgresql_url)
    reading = f"{postgresql_url}?options=-c%20default_transaction_read_only%3Don"
    report = examine(home, BOOKMESH_DATABASE_URL=reading)

    assert "can be written to" in well.about("database", "ok")
    assert "agree" in well.about("clock", "ok")
    assert "read-only" in report.about("database", "failed")


def test_a_clock_that_was_put_back(home: Home) -> None:
    tomorrow = ArtifactStore(home.store.root, now=lambda: utc_now() + timedelta(days=1))
    tomorrow.promote(seal_twin(tomorrow).version, by="test", why="before the clock was put back")

    assert "timedatectl" in examine(home).about("clock", "failed")


def test_a_database_whose_machine_has_another_time(
    postgresql_url: str, tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("BOOKMESH_HOME", str(tmp_path))
    environment.setenv("BOOKMESH_DATABASE_URL", postgresql_url)
    environment.setitem(services.NOW_OF, "postgresql", text(f"{services.NOW_OF['postgresql']} - 100"))
    settings = AllSettings(
        GatewaySettings(), ServerSettings(), WorkerSettings(), TrainSettings(), NotifySettings()
    )

    [finding] = services.check_clock(settings)

    assert finding.level == "failed"
    assert "the database's clock is -" in finding.message


def test_redis_and_the_mail_server_that_are_away(home: Home) -> None:
    report = examine(
        home,
        BOOKMESH_REDIS_URL=f"redis://:hunter2@127.0.0.1:{free_port()}/0",
        BOOKMESH_MAIL__SMTP_URL=f"smtp://127.0.0.1:{free_port()}",
    )

    assert "BOOKMESH_REDIS_URL" in report.about("redis", "warning")
    assert "BOOKMESH_MAIL__SMTP_URL" in report.about("mail", "failed")
    assert "hunter2" not in str(report)


def test_redis_and_the_mail_server_that_answer(home: Home, redis_url: str) -> None:
    with mail_server() as mailbox:
        report = examine(
            home,
            BOOKMESH_REDIS_URL=redis_url,
            BOOKMESH_MAIL__SMTP_URL=mailbox.url,
            BOOKMESH_NOTIFY__EMAILS="ops@example.org",
        )

    assert "answers" in report.about("redis", "ok")
    assert "answers" in report.about("mail", "ok")
    assert "by mail" in report.about("notifications", "ok")
    assert mailbox.messages == []


def test_a_damaged_version_one_that_was_refused_and_a_rollback_that_would_fail(home: Home) -> None:
    first = str(home.store.current())
    home.store.promote(seal_twin(home.store).version, by="test", why="to roll back from it")
    home.run("train", BOOKMESH_TRAIN__GATE__FLOOR_MARGIN="50")
    damage(home.store, first)
    before = examine(home)
    damage(home.store, str(home.store.current()))
    after = examine(home)

    assert "bookmesh train" in before.about("rollback", "warning")
    assert "recall_over_popularity" in before.about("gate", "warning")
    assert "bookmesh versions rollback" in after.about("versions", "failed")


def test_a_version_that_is_a_night_too_old(
    home: Home, monkeypatch: pytest.MonkeyPatch, environment: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "OLD", timedelta(0))
    manifest = home.store.manifest(str(home.store.current()))

    finding = versions._judge_age(manifest)

    assert (finding.level, finding.remedy[:20]) == ("warning", "`bookmesh jobs list`")


@pytest.fixture
def listener() -> Iterator[int]:
    """Somebody else, on a port."""
    with socket.create_server(("127.0.0.1", free_port())) as listening:
        yield listening.getsockname()[1]


def test_a_port_that_somebody_else_has(home: Home, listener: int) -> None:
    report = examine(home, BOOKMESH_ALS_PORT=str(listener))

    assert f"port {listener} for als is in use" in report.about("ports", "failed")
    assert "BOOKMESH_ALS_PORT" in report.about("ports", "failed")


def test_model_servers_for_anybody_without_a_token(home: Home) -> None:
    report = examine(home, BOOKMESH_SERVERS__HOST="0.0.0.0")

    assert "BOOKMESH_MESH_TOKEN" in report.about("mesh token", "failed")


def test_a_training_that_failed_and_a_job_that_nobody_takes(home: Home) -> None:
    with closing(sqlite3.connect(home.path / "catalog.db")) as connection:
        columns = "kind, params, state, due_at, queued_at, finished_at, attempts, outcome"
        for row in (
            ("train", "{}", "failed", 1, 1, 2, 1, "the disk is full"),
            ("refresh", "{}", "queued", 1, 1, None, 0, None),
        ):
            connection.execute(f"INSERT INTO jobs ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        connection.commit()

    report = examine(home)

    assert "the disk is full" in report.about("jobs", "warning")
    assert "no worker takes it" in report.about("jobs", "failed")


@pytest.mark.loopback
def test_a_running_mesh_is_well_and_one_process_that_is_gone_is_named(mesh: Mesh, tmp_path: Path) -> None:
    well = examine(mesh.home)
    (tmp_path / "elsewhere").mkdir()
    without_als = {"BOOKMESH_GATEWAY__MESH__URLS__ALS": f"http://127.0.0.1:{free_port()}"}
    gone = examine(mesh.home, BOOKMESH_HOME=str(tmp_path / "elsewhere"), **without_als)

    current = mesh.home.store.current()
    for name in ("als", "metadata", "gateway"):
        assert f"serves {current}" in well.about(name, "ok")
    assert "is idle" in well.about("worker", "ok")
    assert "nobody answers" in gone.about("als", "failed")


def damage(store: ArtifactStore, version: str) -> None:
    """Spoil an object that no other version has."""
    others = {
        entry.digest for each in store.versions() if each != version for entry in store.manifest(each).objects
    }
    entry = next(each for each in store.manifest(version).objects if each.digest not in others)
    path = store.objects.path(entry.digest)
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    path.write_bytes(b"spoilt")
