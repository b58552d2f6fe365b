import io
import json
import logging
from pathlib import Path

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from foundation.release import RELEASE
from telemetry.logs import configure_logging, tell_version


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def lines_of(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_level_time_process_and_facts() -> None:
    stream = io.StringIO()
    configure_logging("als", stream=stream)

    structlog.get_logger().info("version is current", version="v1", path=Path("/a"), count=3)

    (line,) = lines_of(stream)
    assert str(line.pop("at")).endswith("Z")
    assert line == {
        "event": "version is current",
        "level": "info",
        "process": "als",
        "release": RELEASE,
        "version": "v1",
        "path": "/a",
        "count": 3,
    }


def test_a_line_carries_the_request_id_of_its_request() -> None:
    stream = io.StringIO()
    configure_logging("als", stream=stream)

    with bound_contextvars(request_id="abc"):
        structlog.get_logger().info("one")
    structlog.get_logger().info("two")

    assert [line.get("request_id") for line in lines_of(stream)] == ["abc", None]


def test_lines_name_the_version_of_the_process_unless_they_name_their_own() -> None:
    stream = io.StringIO()
    configure_logging("als", stream=stream)

    tell_version("new")
    try:
        structlog.get_logger().info("one")
        structlog.get_logger().info("two", version="old")
        logging.getLogger("uvicorn.error").warning("three")
    finally:
        tell_version(None)

    assert [line.get("version") for line in lines_of(stream)] == ["new", "old", "new"]


def test_lines_of_the_standard_library_come_out_in_the_same_form() -> None:
    stream = io.StringIO()
    configure_logging("als", stream=stream)

    logging.getLogger("uvicorn.error").warning("port %d", 8103)

    (line,) = lines_of(stream)
    assert (line["event"], line["level"], line["process"]) == ("port 8103", "warning", "als")


def test_an_exception_stays_on_its_line() -> None:
    stream = io.StringIO()
    configure_logging("als", stream=stream)

    try:
        raise ZeroDivisionError("by zero")
    except ZeroDivisionError:
        structlog.get_logger().exception("failed")

    (line,) = lines_of(stream)
    assert "ZeroDivisionError: by zero" in str(line["exception"])


def test_lines_below_the_level_are_dropped() -> None:
    stream = io.StringIO()
    configure_logging("als", level="warning", stream=stream)

    structlog.get_logger().info("quiet")
    logging.getLogger("library").info("quiet")

    assert stream.getvalue() == ""


def test_a_terminal_gets_columns_instead() -> None:
    stream = Terminal()
    configure_logging("als", stream=stream)

    structlog.get_logger().info("hello", count=3)

    assert "hello" in stream.getvalue()
    with pytest.raises(json.JSONDecodeError):
        json.loads(stream.getvalue())


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="loud"):
        configure_logging("als", level="loud")
