"""What a field of any type means."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.sources.values import (
    LONGEST_TEXT,
    FieldWrong,
    is_true,
    to_text,
    to_texts,
    to_time,
    to_year,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (" ash ", "ash"), (None, ""), (True, "1"), (False, "0"), (7, "7"), (7.0, "7"), (7.5, "7.5"),
        (float("nan"), ""), (10**30, "1" + "0" * 30), (Decimal("1.50"), "1.50"),
        (date(1999, 1, 2), "1999-01-02"),
        (datetime(2020, 1, 2, 3, tzinfo=UTC), "2020-01-02T03:00:00+00:00"),
    ],
)  # fmt: skip
def test_a_field_is_a_text(value: Any, text: str) -> None:
    assert to_text(value) == text


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([], "a field of another type"), ({}, "a field of another type"), (b"a", "a field of another type"),
        ("a\0", "NUL byte"), ("x" * (LONGEST_TEXT + 1), "field too long"),
    ],
)  # fmt: skip
def test_what_is_no_text_is_told_with_a_reason(value: Any, reason: str) -> None:
    with pytest.raises(FieldWrong, match=reason):
        to_text(value)


@given(JSON)
def test_any_value_is_texts_or_refused(value: Any) -> None:
    try:
        texts = list(to_texts(value, ";"))
    except FieldWrong:
        return
    assert all(text and text == text.strip() for text in texts)


def test_texts_are_parts_or_elements() -> None:
    assert list(to_texts("a; b;;", ";")) == ["a", "b"]
    assert list(to_texts(["a; b", None, ["c"], 5], ";")) == ["a; b", "c", "5"]


def test_flags() -> None:
    assert all(map(is_true, ["1", "true", "Yes", "x"]))
    assert not any(map(is_true, ["", "0", "false", "no", "2"]))


@pytest.mark.parametrize(
    ("text", "year"),
    [("1999", 1999), ("1999.0", 1999), ("-50", -50), ("May 1999", 1999), ("", None), ("?", None)],
)
def test_years(text: str, year: int | None) -> None:
    assert to_year(text) == year


@pytest.mark.parametrize(
    ("text", "written", "time"),
    [
        ("1577923200", None, 1_577_923_200), ("2020-01-02", None, 1_577_923_200), ("", None, None),
        ("1577923200999", "milliseconds", 1_577_923_200), ("soon", "milliseconds", None),
        ("02/01/2020", "%d/%m/%Y", 1_577_923_200), ("2020-01-02", "%d/%m/%Y", None),
        ("Thu Jan 02 01:00:00 +0100 2020", "%a %b %d %H:%M:%S %z %Y", 1_577_923_200),
        ("-1", None, None), ("9" * 400, None, None),
    ],
)  # fmt: skip
def test_times(text: str, written: str | None, time: int | None) -> None:
    assert to_time(text, written) == time
