import io
import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import HttpUrl

from foundation.urls import SecretBaseUrl
from telemetry.logs import configure_logging
from telemetry.settings import TelemetryOptions
from telemetry.tracing import (
    TracingNotInstalled,
    close_tracing,
    open_tracing,
    serving,
    span,
    trace_headers,
    trace_id,
)
from tests.gateway.running import build_home
from tests.servers.running import wait_until
from tests.services import free_port
from tests.telemetry.collector import Collector, collecting

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACED = {b"host": b"books", b"traceparent": PARENT.encode(), b"tracestate": b"vendor=1"}
PROJECT = Path(__file__).parents[2]
LIST_IMPORTED = "print(*(name for name in sys.modules if name.startswith('opentelemetry')))"
RUN_GATEWAY = """
from gateway.serve import run_gateway
from gateway.settings import GatewaySettings
run_gateway(GatewaySettings())
"""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector
        close_tracing()


def open_to(collector: Collector, share: float = 1, *, begins: bool = True) -> None:
    endpoint = SecretBaseUrl(HttpUrl(collector.endpoint))
    open_tracing("gateway", TelemetryOptions(otlp_endpoint=endpoint, trace_share=share), begins=begins)


def test_spans_reach_the_collector_with_their_parents_and_attributes(collector: Collector) -> None:
    open_to(collector)

    with serving("outer", TRACED) as outer_span:
        assert outer_span is not None
        outer_span.set_attribute("status", 200)
        with span("inner", {"mode": "popular"}, is_call=True):
            passed_on = trace_headers()
    close_tracing()

    outer, inner = collector.spans["outer"], collector.spans["inner"]
    trace, parent_id = PARENT.split("-")[1:3]
    assert outer.trace_id.hex() == inner.trace_id.hex() == trace
    assert outer.parent_span_id.hex() == parent_id
    assert inner.parent_span_id == outer.span_id
    assert passed_on == {"traceparent": f"00-{trace}-{inner.span_id.hex()}-01", "tracestate": "vendor=1"}
    assert {each.key for each in outer.attributes} == {"status"}
    assert {each.key for each in inner.attributes} == {"mode"}
    assert collector.services == {"bookmesh-gateway"}


def test_an_exception_marks_its_span_as_failed(collector: Collector) -> None:
    open_to(collector)

    with pytest.raises(ZeroDivisionError), serving("broken", {}):
        raise ZeroDivisionError
    close_tracing()

    assert collector.spans["broken"].status.code == 2


def test_a_span_without_a_parent_begins_a_trace(collector: Collector) -> None:
    open_to(collector)

    with serving("root", {b"host": b"books"}):
        passed_on, trace = trace_headers(), trace_id()
    close_tracing()

    assert re.fullmatch(rf"00-{trace}-[0-9a-f]{{16}}-0[13]", passed_on["traceparent"])
    assert collector.spans["root"].parent_span_id == b""


@pytest.mark.parametrize("flags", ["00", "01"])
def test_a_server_records_what_whoever_calls_records(collector: Collector, flags: str) -> None:
    open_to(collector, share=1, begins=False)
    sent = PARENT[:-2] + flags

    with serving("decided", {b"traceparent": sent.encode()}) as recorded, span("below"):
        passed_on = trace_headers()["traceparent"]
    close_tracing()

    assert (recorded is not None) == (flags == "01") == ("below" in collector.spans)
    assert passed_on.startswith(PARENT[:36]) and passed_on.endswith(flags)


@pytest.mark.parametrize(
    ("share", "flags", "is_recorded"), [(0, "01", False), (1, "00", False), (1, "01", True)]
)
def test_a_stranger_may_forbid_to_record_and_not_ask_for_it(
    collector: Collector, share: float, flags: str, is_recorded: bool
) -> None:
    open_to(collector, share)

    with serving("asked", {b"traceparent": (PARENT[:-2] + flags).encode()}) as recorded:
        passed_on = trace_headers()["traceparent"]

    assert (recorded is not None) == is_recorded == passed_on.endswith("01")
    assert passed_on.startswith(PARENT[:36])


def test_a_server_begins_no_trace(collector: Collector) -> None:
    open_to(collector, share=1, begins=False)

    with serving("alone", {}) as recorded:
        assert recorded is None


def test_of_other_traces_the_share_of_the_settings_is_recorded(collector: Collector) -> None:
    open_to(collector, 0.5)

    recorded = []
    for _ in range(200):
        with serving("maybe", {}) as found:
            recorded.append(found is not None)

    assert 50 < sum(recorded) < 150


@pytest.mark.loopback
def test_a_gateway_that_is_stopped_sends_its_last_spans(collector: Collector, tmp_path: Path) -> None:
    port = free_port()
    environment = {
        **os.environ,
        "BOOKMESH_HOME": str(build_home(tmp_path)),
        "BOOKMESH_PORT": str(port),
        "BOOKMESH_OTLP_ENDPOINT": collector.endpoint,
        "BOOKMESH_TELEMETRY__TRACE_SHARE": "1",
    }
    process = subprocess.Popen([sys.executable, "-c", RUN_GATEWAY], cwd=PROJECT, env=environment)
    try:
        wait_until(lambda: is_answered(f"http://127.0.0.1:{port}/health/live"))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)

    assert process.returncode == 0
    assert collector.spans["GET /health/live"].trace_id.hex() == PARENT.split("-")[1]


def is_answered(url: str) -> bool:
    try:
        return httpx.get(url, headers={"traceparent": PARENT}).status_code == 200
    except httpx.ConnectError:
        return False


def test_without_an_endpoint_the_callers_trace_is_passed_on_and_nothing_recorded() -> None:
    open_tracing("gateway", TelemetryOptions())

    with serving("outer", TRACED) as outer, span("inner") as inner:
        assert trace_headers() == {"traceparent": PARENT, "tracestate": "vendor=1"}
        assert trace_id() == PARENT.split("-")[1]
        assert outer is inner is None

    assert trace_headers() == {}
    assert trace_id() is None


@pytest.mark.parametrize(
    "malformed", [b"00-\xff-nonsense", b"", PARENT.encode() + b"-", PARENT.replace("0af7", "XXXX").encode()]
)
def test_a_malformed_trace_is_not_passed_on(malformed: bytes) -> None:
    with serving("outer", {b"traceparent": malformed, b"tracestate": b"vendor=1"}):
        assert trace_headers() == {}


@pytest.mark.parametrize(
    ("module", "alone"),
    [
        ("servers.shell.serve", "starlette"),
        ("worker.serve", "starlette"),
        ("pipeline.run", "sqlalchemy"),
        ("gateway.serve", "fastapi, redis.asyncio"),  # which import some of it for themselves
    ],
)
def test_without_an_endpoint_nothing_of_opentelemetry_is_imported(module: str, alone: str) -> None:
    script = (
        f"import sys, {module}; from telemetry.tracing import open_tracing, serving, span;"
        "from telemetry.settings import TelemetryOptions; open_tracing('als', TelemetryOptions())\n"
        "with serving('GET', {}), span('score'): pass\n"
        f"{LIST_IMPORTED}"
    )

    imported = _run(script)

    assert imported == _run(f"import sys, {alone}; {LIST_IMPORTED}")


def _run(script: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_a_token_in_a_header_that_cannot_be_read_is_not_logged(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "Bearer hunter2")
    configure_logging("gateway", stream=io.StringIO())
    logging.getLogger().addHandler(caplog.handler)

    open_to(collector)
    close_tracing()

    assert "hunter2" not in caplog.text


def test_an_endpoint_without_the_sdk_says_what_to_install(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "telemetry.recorder", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)

    with pytest.raises(TracingNotInstalled, match=r"pip install 'bookmesh\[tracing\]'"):
        open_to(collector)
