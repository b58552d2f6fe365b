"""The Dockerfile and docker-compose.yml, where no Docker runs: valid, and at one with what they name."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.shell import DEFAULT_PORTS, SERVER_NAMES
from foundation.settings import ProcessSettings
from gateway.settings import GatewaySettings
from servers.shell.settings import ServerSettings
from tests.homes import ROOT
from worker.settings import WorkerSettings

COMPOSE = ROOT / "docker-compose.yml"
BIN = Path(sys.executable).parent
OURS = {"gateway", "worker", "trainer", "migrate", *SERVER_NAMES}
OTHERS = {"nginx", "database", "redis", "prometheus", "grafana", "jaeger"}
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?::([?-])([^}]*))?\}")


@pytest.fixture(scope="module")
def secrets() -> dict[str, str]:
    """What deploy/compose-env.sh prints."""
    words = ["bash", ROOT / "deploy" / "compose-env.sh", "smtp://mail.example.org", "books@example.org"]
    printed = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return dict(line.split("=", 1) for line in printed.splitlines())


@pytest.fixture(scope="module")
def services(secrets: dict[str, str]) -> dict[str, Any]:
    """The services with the secrets in them."""

    def fill(found: re.Match[str]) -> str:
        name, kind, fallback = found.groups()
        assert name in secrets or kind == "-", f"nobody sets {name}"
        return secrets.get(name, fallback)

    document = yaml.safe_load(VARIABLE.sub(fill, COMPOSE.read_text()))
    found: dict[str, Any] = document["services"]
    return found


def test_the_compose_file_follows_its_specification() -> None:
    done = subprocess.run(
        [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


def test_hadolint_finds_nothing_wrong() -> None:
    done = subprocess.run(
        [BIN / "hadolint", "--failure-threshold", "style", ROOT / "Dockerfile"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "")


def test_a_whole_mesh_is_there_and_all_that_it_needs(services: dict[str, Any]) -> None:
    assert set(services) == OURS | OTHERS


def test_every_service_is_bounded_watched_and_may_do_little(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert {"mem_limit", "healthcheck", "logging"} <= set(service), name
        assert not re.search(r":latest$|^[^:]+$", service["image"]) or name in OURS, name


def test_ours_have_one_user_one_home_and_nothing_else_to_write_to(services: dict[str, Any]) -> None:
    for name in OURS:
        service = services[name]
        assert (service["user"], service["read_only"], service["tmpfs"]) == ("10001:10001", True, ["/tmp"])
        assert service["volumes"] == ["home:/var/lib/bookmesh"]
    assert "USER 10001:10001" in (ROOT / "Dockerfile").read_text()


def test_all_that_reads_the_catalog_waits_for_the_one_that_migrates(services: dict[str, Any]) -> None:
    assert services["migrate"]["command"] == ["migrate"]
    assert services["migrate"]["restart"] == "no"
    for name in OURS - {"migrate"}:
        condition = services[name]["depends_on"]["migrate"]["condition"]
        assert condition == "service_completed_successfully"


def test_the_settings_are_ones_that_we_know_and_take(
    services: dict[str, Any], environment: pytest.MonkeyPatch
) -> None:
    classes: dict[str, type[ProcessSettings]] = {"gateway": GatewaySettings, "worker": WorkerSettings}
    for name in OURS:
        with environment.context() as changed:
            for variable, value in services[name]["environment"].items():
                changed.setenv(variable, value)
            settings = classes.get(name, ServerSettings if name in SERVER_NAMES else GatewaySettings)()

        assert settings.production
        assert settings.mesh_token is not None


def test_each_server_is_where_the_gateway_looks_for_it(
    services: dict[str, Any], environment: pytest.MonkeyPatch
) -> None:
    for variable, value in services["gateway"]["environment"].items():
        environment.setenv(variable, value)

    urls = GatewaySettings().gateway.mesh.server_urls()

    assert urls == {name: f"http://{name}:{port}" for name, port in DEFAULT_PORTS.items()}
    assert {name: services[name]["command"] for name in SERVER_NAMES} == {
        name: ["serve", name] for name in SERVER_NAMES
    }


def test_probes_ask_the_ports_that_are_listened_on(services: dict[str, Any]) -> None:
    ports = {**DEFAULT_PORTS, "gateway": 8000, "worker": 8106}
    targets = yaml.safe_load((ROOT / "deploy" / "prometheus" / "targets.compose.yml").read_text())

    for name, port in ports.items():
        assert f"http://127.0.0.1:{port}/health/live" in services[name]["healthcheck"]["test"][-1]
    assert {each["labels"]["service"]: each["targets"] for each in targets} == {
        name: [f"{name}:{port}"] for name, port in ports.items()
    }


def test_the_gateway_believes_nginx_alone(services: dict[str, Any]) -> None:
    address = services["nginx"]["networks"]["front"]["ipv4_address"]

    assert services["gateway"]["environment"]["BOOKMESH_GATEWAY__TRUSTED_PROXIES"] == address


def test_files_that_are_mounted_exist(services: dict[str, Any]) -> None:
    mounted = [volume.split(":")[0] for each in services.values() for volume in each.get("volumes", ())]

    assert [path for path in mounted if path.startswith("./") and not (ROOT / path).exists()] == []


def test_pytorch_is_in_the_trainer_alone(services: dict[str, Any]) -> None:
    stages = re.split(r"^FROM ", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    with_torch = {re.match(r".* AS ([\w-]+)", stage)[1] for stage in stages[1:] if "torch" in stage}  # type: ignore[index]

    assert with_torch == {"build-train"}
    assert {name for name in OURS if services[name]["build"]["target"] == "train"} == {"trainer"}


def test_the_build_sees_every_package_and_no_data() -> None:
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]
    seen = (ROOT / ".dockerignore").read_text().split()

    assert {f"!{name.removesuffix('*')}" for name in packages["include"]} <= set(seen)
    assert seen[0] == "*"
