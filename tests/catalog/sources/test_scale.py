import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import SourceOptionInvalid
from catalog.sources.scale import TEN_POINTS, Scale


@pytest.mark.parametrize(
    ("scale", "ratings"),
    [
        ("1-10", {"1": 1.0, "7": 7.0, "7.5": 7.5, "10": 10.0}),
        ("1-5", {"1": 1.0, "3": 5.5, "4": 7.75, "5": 10.0}),
        ("0.5-5", {"0.5": 1.0, "2.75": 5.5, "5.0": 10.0}),
        ("0-1", {"0": 1.0, "1": 10.0}),
        ("-10-10", {"-10": 1.0, "0": 5.5, "10": 10.0}),
    ],
)
def test_ratings_lie_in_proportion_between_1_and_10(scale: str, ratings: dict[str, float]) -> None:
    read = Scale.from_text(scale)

    assert {text: read.parse(text) for text in ratings} == ratings


def test_an_implicit_rating_is_none() -> None:
    assert Scale.from_text("1-5").parse("") is None
    assert TEN_POINTS.parse("0") is None


@pytest.mark.parametrize("text", ["0.9", "5.1", "good", "nan", "inf", "-1"])
def test_what_is_off_the_scale_is_no_rating(text: str) -> None:
    with pytest.raises(ValueError):
        Scale.from_text("1-5").parse(text)


@pytest.mark.parametrize("text", ["", "7.5", "7.0", "07", "11", "-1", "٣", " 7"])
def test_ten_points_are_whole_numbers(text: str) -> None:
    with pytest.raises(ValueError):
        TEN_POINTS.parse(text)


@pytest.mark.parametrize("text", ["", "5", "5-1", "1-1", "one to five", "1-5-9"])
def test_what_names_no_scale_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(SourceOptionInvalid, match="such as 1-5"):
        Scale.from_text(text)


def test_a_scale_says_in_words_what_it_takes() -> None:
    assert str(TEN_POINTS) == "a whole number from 0 to 10"
    assert str(Scale.from_text("0.5-5")) == "a number from 0.5 to 5"


@given(
    scale=st.tuples(st.integers(-1_000, 1_000), st.integers(1, 2_000)).map(
        lambda s: (s[0] / 2, s[0] / 2 + s[1])
    ),
    share=st.integers(0, 10_000),
)
def test_every_step_of_a_scale_is_found_again_though_a_database_keeps_six_digits(
    scale: tuple[float, float], share: int
) -> None:
    lowest, highest = scale
    read, n_decimals = Scale(lowest, highest), 5 - len(str(int(highest - lowest)))
    written = f"{lowest + share / 10_000 * (highest - lowest):.{n_decimals}f}"
    if not lowest <= float(written) <= highest:
        written = str(lowest)

    stored = read.parse(written) or 0.0

    (single,) = struct.unpack("f", struct.pack("f", stored))
    for kept in (stored, single, float(f"{single:.6g}")):
        assert float(read.to_source(kept)) == float(written)


def test_a_rating_is_written_as_its_source_does() -> None:
    half_stars = Scale.from_text("0.5-5")

    assert [half_stars.to_source(half_stars.parse(text)) for text in ("0.5", "4", "5", "")] == [
        "0.5",
        "4",
        "5",
        "",
    ]
    assert [TEN_POINTS.to_source(rating) for rating in (None, 1.0, 7.5, 10.0)] == ["0", "1", "7.5", "10"]
    assert Scale.from_text("-1-1").to_source(5.5) == "0"


@pytest.mark.parametrize("text", ["1-5", "0.5-5", "-10-10", "0-1000000"])
def test_a_scale_is_told_as_it_is_read(text: str) -> None:
    assert Scale.from_text(text).range == text
