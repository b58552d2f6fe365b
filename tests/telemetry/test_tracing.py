import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from telemetry.tracing import TRACEPARENT, TracingNotInstalled, open_tracing

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Collector:
    """A real OTLP/HTTP endpoint that keeps the spans it is sent."""

    def __init__(self) -> None:
        self.spans: dict[str, Span] = {}
        self.services: set[str] = set()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = ExportTraceServiceRequest()
                request.ParseFromString(self.rfile.read(int(self.headers["content-length"])))
                collector.keep(self.path, request)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"

    def keep(self, path: str, request: ExportTraceServiceRequest) -> None:
        assert path == "/v1/traces"
        for resource in request.resource_spans:
            attributes = {each.key: each.value.string_value for each in resource.resource.attributes}
            self.services.add(attributes["service.name"])
            for scope in resource.scope_spans:
                self.spans |= {span.name: span for span in scope.spans}


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    thread = threading.Thread(target=collector.server.serve_forever)
    thread.start()
    yield collector
    collector.server.shutdown()
    thread.join()
    collector.server.server_close()


def test_spans_reach_the_collector_with_their_parents_and_attributes(collector: Collector) -> None:
    tracing = open_tracing("gateway", collector.endpoint)

    with tracing.span("outer", kind="server", parent=PARENT, route="/v1") as late:
        late["status"] = 200
        with tracing.span("inner", kind="client"):
            passed_on = TRACEPARENT.get()
    tracing.close()

    outer, inner = collector.spans["outer"], collector.spans["inner"]
    trace_id, parent_id = PARENT.split("-")[1:3]
    assert outer.trace_id.hex() == inner.trace_id.hex() == trace_id
    assert outer.parent_span_id.hex() == parent_id
    assert inner.parent_span_id == outer.span_id
    assert passed_on == f"00-{trace_id}-{inner.span_id.hex()}-01"
    assert {each.key for each in outer.attributes} == {"route", "status"}
    assert collector.services == {"bookmesh-gateway"}


def test_an_exception_marks_its_span_as_failed(collector: Collector) -> None:
    tracing = open_tracing("gateway", collector.endpoint)

    with pytest.raises(ZeroDivisionError), tracing.span("broken"):
        raise ZeroDivisionError
    tracing.close()

    assert collector.spans["broken"].status.code == 2


def test_a_span_without_a_parent_begins_a_trace(collector: Collector) -> None:
    tracing = open_tracing("gateway", collector.endpoint)

    with tracing.span("root"):
        passed_on = TRACEPARENT.get()
    tracing.close()

    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[13]", passed_on or "")
    assert collector.spans["root"].parent_span_id == b""


def test_without_an_endpoint_the_callers_trace_is_passed_on_and_nothing_recorded() -> None:
    tracing = open_tracing("gateway", None)

    with tracing.span("outer", parent=PARENT), tracing.span("inner"):
        assert TRACEPARENT.get() == PARENT

    assert TRACEPARENT.get() is None
    tracing.close()


def test_without_an_endpoint_opentelemetry_is_not_even_imported() -> None:
    script = (
        "import sys; from telemetry.tracing import open_tracing; open_tracing('als', None).close();"
        "print('opentelemetry' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"


def test_an_endpoint_without_opentelemetry_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)

    with pytest.raises(TracingNotInstalled, match=r"pip install 'bookmesh\[tracing\]'"):
        open_tracing("als", "http://127.0.0.1:4318")
