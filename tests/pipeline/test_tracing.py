"""A training as one trace: a span for each step."""

from pydantic import HttpUrl

from foundation.urls import SecretBaseUrl
from telemetry.settings import TelemetryOptions
from telemetry.tracing import recording
from tests.pipeline.conftest import Home
from tests.telemetry.collector import collecting


def test_each_step_is_a_span_below_that_of_the_command(trained_home: Home) -> None:
    with collecting() as collector:
        endpoint = SecretBaseUrl(HttpUrl(collector.endpoint))
        with recording("train", TelemetryOptions(otlp_endpoint=endpoint)):
            report = trained_home.train()

    command = collector.spans["train"]
    steps = [span for _, span in collector.received if span is not command]
    assert collector.services == {"bookmesh-train"}
    assert sorted(span.name for span in steps) == sorted(f"step {run.name}" for run in report.steps)
    assert {span.parent_span_id for span in steps} == {command.span_id}
