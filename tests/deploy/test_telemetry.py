"""Dashboards and alerts: what they ask for is there, and each alert is tested and has its runbook."""

import json
import re
import runpy
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
import yaml
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from cli.main import app
from tests.homes import ROOT, Home
from tests.meshes import Mesh, running_mesh, wait_until
from tests.services import find_binary, free_port, running
from tests.telemetry.collector import Collector, collecting

PROMETHEUS = ROOT / "deploy" / "prometheus"
GRAFANA = ROOT / "deploy" / "grafana"
UNIT_TESTS = ("alerts.test.yml", "alerts.days.test.yml")
RUNBOOKS = ROOT / "docs" / "runbooks"
METRIC = re.compile(r"\b(?:bookmesh|process)_[a-z0-9_]+\b")
PART = re.compile(r"_(bucket|sum|count)$")
PATIENCE_S = 180
NOT_BY_LOAD = {
    "BookmeshCacheDown",
    "BookmeshGateRefused",
    "BookmeshTrainingFailed",
    "BookmeshVersionOld",
    "BookmeshVersionRefused",
    "BookmeshVersionsDisagree",
}
"""What is not told of a mesh that is well, however busy the machine is."""


def read_rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


ALERTS = {rule["alert"]: rule for rule in read_rules() if "alert" in rule}


def read_expressions() -> dict[str, str]:
    """Every expression of a dashboard, by its panel."""
    found = {}
    for file in sorted((GRAFANA / "dashboards").glob("*.json")):
        board = json.loads(file.read_text())
        for panel in board["panels"]:
            for target in panel["targets"]:
                found[f"{board['title']}: {panel['title']} {target['refId']}"] = target["expr"]
    return found


def promtool(*words: str) -> None:
    binary = find_binary("promtool", package="prometheus")
    done = subprocess.run([binary, *words], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboards_are_what_their_builder_makes() -> None:
    builder = runpy.run_path(str(GRAFANA / "build.py"))

    files = {file.name: file.read_text() for file in (GRAFANA / "dashboards").iterdir()}

    assert files == {f"{title.lower()}.json": builder["render"](title) for title in builder["DASHBOARDS"]}


def test_prometheus_takes_its_configuration() -> None:
    promtool("check", "config", "prometheus.yml")


def test_every_alert_fires_when_it_should_and_not_before() -> None:
    promtool("test", "rules", *UNIT_TESTS)


def test_every_alert_has_a_test_in_which_it_fires() -> None:
    tests = [test for name in UNIT_TESTS for test in yaml.safe_load((PROMETHEUS / name).read_text())["tests"]]

    fired = {case["alertname"] for test in tests for case in test["alert_rule_test"] if case["exp_alerts"]}

    assert fired == set(ALERTS)


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    named = {name: rule["annotations"]["runbook"] for name, rule in ALERTS.items()}

    assert sorted(named.values()) == sorted(str(file.relative_to(ROOT)) for file in RUNBOOKS.glob("*.md"))
    for name, runbook in named.items():
        assert (ROOT / runbook).read_text().startswith(f"# {name}\n")


def test_runbooks_name_commands_that_there_are() -> None:
    texts = [file.read_text() for file in RUNBOOKS.glob("*.md")]
    named = {
        tuple(found.split()[:2]) for text in texts for found in re.findall(r"`bookmesh ([a-z][^`]*)`", text)
    }
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)

    for first, *rest in named:
        command = group.commands[first]
        if isinstance(command, typer.core.TyperGroup) and rest:
            assert rest[0] in command.commands


@pytest.fixture
def prometheus(observed: Mesh, tmp_path: Path) -> Iterator[httpx.Client]:
    """A Prometheus that scrapes the mesh every second, with the rules of the repository."""
    with running_prometheus(observed, tmp_path / "prometheus") as client:
        yield client


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture(scope="module")
def observed(
    trained_home: Home, redis_server: str, collector: Collector, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mesh]:
    """A mesh with a Redis, which records all traces."""
    home = trained_home.copy(tmp_path_factory.mktemp("observed") / "home")
    settings = {
        "BOOKMESH_REDIS_URL": redis_server,
        "BOOKMESH_OTLP_ENDPOINT": collector.endpoint,
        "BOOKMESH_TELEMETRY__TRACE_SHARE": "1",
    }
    with running_mesh(home, **settings) as mesh:
        yield mesh


@contextmanager
def running_prometheus(mesh: Mesh, folder: Path) -> Iterator[httpx.Client]:
    """A client of it; its files are in the folder."""
    folder.mkdir()
    shutil.copy(PROMETHEUS / "alerts.yml", folder)
    settings = (PROMETHEUS / "prometheus.yml").read_text()
    (folder / "prometheus.yml").write_text(settings.replace("interval: 15s", "interval: 1s"))
    targets = [
        {"labels": {"service": name}, "targets": [f"127.0.0.1:{port}"]} for name, port in mesh.ports.items()
    ]
    (folder / "targets.yml").write_text(yaml.safe_dump(targets))
    port = free_port()
    command = [
        find_binary("prometheus", package="prometheus"), "--config.file=prometheus.yml",
        "--storage.tsdb.path=data", f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:

        def ask() -> None:
            try:
                client.get("/-/ready").raise_for_status()
            except httpx.HTTPError as error:
                raise OSError from error

        with running(command, folder / "log", until=ask, cwd=folder):
            yield client


@pytest.mark.loopback
def test_every_query_of_dashboards_and_alerts_finds_what_the_mesh_tells(
    prometheus: httpx.Client, observed: Mesh
) -> None:
    missing = read_expressions()
    assert len(missing) > 30

    def is_all_there() -> bool:
        send_load(observed)
        for panel in [panel for panel, expression in missing.items() if query(prometheus, expression)]:
            del missing[panel]
        return not missing

    try:
        wait_until(is_all_there, patience_s=PATIENCE_S)
    except AssertionError:
        pytest.fail(f"without data: {missing}")
    alerts = {
        alert["labels"]["alertname"] for alert in prometheus.get("/api/v1/alerts").json()["data"]["alerts"]
    }
    assert not alerts & NOT_BY_LOAD
    told = set(prometheus.get("/api/v1/metadata").json()["data"])
    asked = {name for rule in read_rules() for name in METRIC.findall(rule["expr"])}
    assert {PART.sub("", name) for name in asked} <= told


def query(prometheus: httpx.Client, expression: str) -> list[Any]:
    """What an expression is now; it must be one."""
    answer = prometheus.get("/api/v1/query", params={"query": expression}).json()
    assert answer["status"] == "success", answer
    result: list[Any] = answer["data"]["result"]
    return result


@pytest.mark.loopback
def test_a_trace_goes_from_the_proxy_through_gateway_and_servers_to_sql(
    observed: Mesh, collector: Collector
) -> None:
    trace, proxy = secrets.token_hex(16), secrets.token_hex(8)
    path = "/v1/recommendations"

    # No list of this weight was ever made, so none is in a cache.
    observed.client.post(
        path,
        json={"authors": ["C. S. Lewis"], "popularity_weight": 0.123},
        headers={"traceparent": f"00-{trace}-{proxy}-01", "x-request-id": "traced"},
    ).raise_for_status()
    ends = {("bookmesh-gateway", "POST /v1/recommendations"), ("bookmesh-als", "POST /rank-new")}
    wait_until(lambda: ends <= find_spans(collector, trace).keys())

    spans = find_spans(collector, trace)
    served = spans["bookmesh-gateway", "POST /v1/recommendations"]
    pinned, retrieved = spans["bookmesh-gateway", "pin"], spans["bookmesh-gateway", "retrieve"]
    called = spans["bookmesh-gateway", "POST /rank-new"]
    ranked, scored = spans["bookmesh-als", "POST /rank-new"], spans["bookmesh-als", "score"]
    read, counted = spans["bookmesh-gateway", "SELECT"], spans["bookmesh-gateway", "redis"]
    assert served.parent_span_id.hex() == proxy
    assert {each.parent_span_id for each in (read, counted, pinned)} == {served.span_id}
    assert retrieved.parent_span_id == pinned.span_id
    assert called.parent_span_id == retrieved.span_id
    assert ranked.parent_span_id == called.span_id
    assert scored.parent_span_id == ranked.span_id
    assert spans["bookmesh-gateway", "enrich"].parent_span_id == pinned.span_id
    attributes = {each.key: each.value for each in read.attributes}
    assert attributes["db.system.name"].string_value == "sqlite"
    assert attributes["db.query.text"].string_value.startswith("SELECT")
    log = (observed.home.path / "logs" / "gateway.log").read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    (line,) = [line for line in lines if line.get("request_id") == "traced"]
    assert (line["trace_id"], line["path"]) == (trace, path)
    assert {"release", "version", "process", "level", "at"} <= line.keys()


def find_spans(collector: Collector, trace: str) -> dict[tuple[str, str], Span]:
    """The first of each service and name in a trace."""
    found: dict[tuple[str, str], Span] = {}
    for service, span in collector.received:
        if span.trace_id.hex() == trace:
            found.setdefault((service, span.name), span)
    return found


def send_load(mesh: Mesh) -> None:
    """A bit of everything that readers do."""
    shown = mesh.get("/v1/users/1/recommendations")
    mesh.get("/v1/books/1/similar")
    mesh.get("/v1/books/popular")
    mesh.get("/v1/search", q="love")
    mesh.client.get("/v1/nowhere")
    event = {"book_id": shown["items"][0]["book_id"], "at": 1, "list_id": shown["list_id"]}
    events = [{"kind": kind, **event} for kind in ("impression", "click")]
    mesh.client.post("/v1/events", json={"user_id": 1, "events": events}).raise_for_status()
