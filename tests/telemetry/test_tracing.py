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
from opentelemetry.sdk.trace import Tracer as RecordingTracer
from opentelemetry.trace import SpanKind, Tracer
from pydantic import HttpUrl

from foundation.urls import SecretBaseUrl
from telemetry.logs import configure_logging
from telemetry.tracing import PROPAGATOR, TracingNotInstalled, extract_trace, open_tracing
from tests.gateway.running import build_home
from tests.servers.running import wait_until
from tests.services import free_port
from tests.telemetry.collector import Collector, collecting

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACED = {b"host": b"books", b"traceparent": PARENT.encode(), b"tracestate": b"vendor=1"}
PROJECT = Path(__file__).parents[2]
RUN_GATEWAY = """
from gateway.serve import run_gateway
from gateway.settings import GatewaySettings
run_gateway(GatewaySettings())
"""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


def open_to(collector: Collector) -> Tracer:
    return open_tracing("gateway", SecretBaseUrl(HttpUrl(collector.endpoint)))


def headers_to_pass_on() -> dict[str, str]:
    headers: dict[str, str] = {}
    PROPAGATOR.inject(headers)
    return headers


def send_all(tracer: Tracer) -> None:
    """Send what is buffered, as the exit of a process does."""
    assert isinstance(tracer, RecordingTracer)
    tracer.span_processor.shutdown()


def test_spans_reach_the_collector_with_their_parents_and_attributes(collector: Collector) -> None:
    tracer = open_to(collector)

    with tracer.start_as_current_span("outer", extract_trace(TRACED), SpanKind.SERVER) as span:
        span.set_attribute("status", 200)
        with tracer.start_as_current_span("inner", kind=SpanKind.CLIENT):
            passed_on = headers_to_pass_on()
    send_all(tracer)

    outer, inner = collector.spans["outer"], collector.spans["inner"]
    trace_id, parent_id = PARENT.split("-")[1:3]
    assert outer.trace_id.hex() == inner.trace_id.hex() == trace_id
    assert outer.parent_span_id.hex() == parent_id
    assert inner.parent_span_id == outer.span_id
    assert passed_on == {"traceparent": f"00-{trace_id}-{inner.span_id.hex()}-01", "tracestate": "vendor=1"}
    assert {each.key for each in outer.attributes} == {"status"}
    assert collector.services == {"bookmesh-gateway"}


def test_an_exception_marks_its_span_as_failed(collector: Collector) -> None:
    tracer = open_to(collector)

    with pytest.raises(ZeroDivisionError), tracer.start_as_current_span("broken"):
        raise ZeroDivisionError
    send_all(tracer)

    assert collector.spans["broken"].status.code == 2


def test_a_span_without_a_parent_begins_a_trace(collector: Collector) -> None:
    tracer = open_to(collector)

    with tracer.start_as_current_span("root", extract_trace({b"host": b"books"})):
        passed_on = headers_to_pass_on()
    send_all(tracer)

    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[13]", passed_on["traceparent"])
    assert collector.spans["root"].parent_span_id == b""


@pytest.mark.loopback
def test_a_gateway_that_is_stopped_sends_its_last_spans(collector: Collector, tmp_path: Path) -> None:
    port = free_port()
    environment = {
        **os.environ,
        "BOOKMESH_HOME": str(build_home(tmp_path)),
        "BOOKMESH_PORT": str(port),
        "BOOKMESH_OTLP_ENDPOINT": collector.endpoint,
    }
    process = subprocess.Popen([sys.executable, "-c", RUN_GATEWAY], cwd=PROJECT, env=environment)
    try:
        wait_until(lambda: is_answered(f"http://127.0.0.1:{port}/health/live"))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)

    assert process.returncode == 0
    assert collector.spans["gateway"].trace_id.hex() == PARENT.split("-")[1]


def is_answered(url: str) -> bool:
    try:
        return httpx.get(url, headers={"traceparent": PARENT}).status_code == 200
    except httpx.ConnectError:
        return False


def test_without_an_endpoint_the_callers_trace_is_passed_on_and_nothing_recorded() -> None:
    tracer = open_tracing("gateway", None)

    with (
        tracer.start_as_current_span("outer", extract_trace(TRACED)),
        tracer.start_as_current_span("inner") as span,
    ):
        assert headers_to_pass_on() == {"traceparent": PARENT, "tracestate": "vendor=1"}
        assert not span.is_recording()

    assert headers_to_pass_on() == {}


def test_a_malformed_trace_is_not_passed_on() -> None:
    tracer = open_tracing("gateway", None)

    with tracer.start_as_current_span("outer", extract_trace({b"traceparent": b"00-\xff-nonsense"})):
        assert headers_to_pass_on() == {}


def test_without_an_endpoint_only_the_api_of_opentelemetry_is_imported() -> None:
    script = (
        "import sys; from telemetry.tracing import open_tracing; open_tracing('als', None);"
        "print([name for name in ('opentelemetry.sdk', 'opentelemetry.exporter') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_a_token_in_a_header_that_cannot_be_read_is_not_logged(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "Bearer hunter2")
    configure_logging("gateway", stream=io.StringIO())
    logging.getLogger().addHandler(caplog.handler)

    send_all(open_to(collector))

    assert "hunter2" not in caplog.text


def test_an_endpoint_without_the_sdk_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)

    with pytest.raises(TracingNotInstalled, match=r"pip install 'bookmesh\[tracing\]'"):
        open_tracing("als", SecretBaseUrl(HttpUrl("http://127.0.0.1:4318")))
