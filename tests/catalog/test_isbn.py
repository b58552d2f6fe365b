import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import IsbnInvalid
from catalog.isbn import build_isbn13, parse_isbn, to_isbn10

ISBN10S = st.text("0123456789", min_size=9, max_size=9).map(
    lambda body: str(to_isbn10(build_isbn13("978" + body)))
)


@pytest.mark.parametrize(
    "text", ["0-306-40615-2", "0306406152", "978-0-306-40615-7", " 9780306406157 ", "978 0 306 40615 7"]
)
def test_every_way_to_write_an_isbn_has_one_canonical_form(text: str) -> None:
    assert parse_isbn(text) == "9780306406157"


def test_a_check_digit_of_ten_is_an_x_in_any_case() -> None:
    assert parse_isbn("080442957X") == parse_isbn("080442957x") == "9780804429573"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0306406153", "wrong check digit"),
        ("9780306406158", "wrong check digit"),
        ("03064061", "wrong length"),
        ("", "wrong length"),
        ("97803064061571", "wrong length"),
        ("B000OEYC5G", "not made of digits"),
        ("03064O6152", "not made of digits"),
        ("978030640615X", "not made of digits"),
        ("٠٣٠٦٤٠٦١٥٢", "not made of digits"),
        ("4006381333931", "not a book's number"),
    ],
)
def test_what_is_no_isbn_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(IsbnInvalid) as refused:
        parse_isbn(text)

    assert refused.value.reason == reason


@given(isbn10=ISBN10S)
def test_an_isbn_10_survives_the_way_to_13_and_back(isbn10: str) -> None:
    assert to_isbn10(parse_isbn(isbn10)) == isbn10


@given(isbn10=ISBN10S, position=st.integers(0, 8), step=st.integers(1, 9))
def test_one_wrong_digit_is_always_found(isbn10: str, position: int, step: int) -> None:
    wrong_digit = str((int(isbn10[position]) + step) % 10)

    with pytest.raises(IsbnInvalid):
        parse_isbn(isbn10[:position] + wrong_digit + isbn10[position + 1 :])


def test_lost_leading_zeros_come_back_only_when_asked() -> None:
    assert parse_isbn("2005018", repair_zeros=True) == parse_isbn("0002005018")
    with pytest.raises(IsbnInvalid, match="wrong length"):
        parse_isbn("2005018")


def test_zeros_are_not_made_up_when_the_check_digit_disagrees() -> None:
    with pytest.raises(IsbnInvalid, match="wrong check digit"):
        parse_isbn("2005019", repair_zeros=True)


def test_numbers_of_979_have_no_isbn_10() -> None:
    assert to_isbn10(parse_isbn("9791032305690")) is None
