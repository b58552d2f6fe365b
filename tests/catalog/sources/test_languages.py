import pytest

from catalog.sources.languages import parse_language
from catalog.word_lists import read_word_lists


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("en", "eng"),
        ("en-US", "eng"),
        ("EN_gb", "eng"),
        ("eng", "eng"),
        ("deu", "ger"),
        ("nl", "dut"),
        ("fil", "fil"),
    ],
)
def test_a_code_of_any_kind_becomes_the_catalogs(text: str, code: str) -> None:
    assert parse_language(text) == code


@pytest.mark.parametrize("text", ["", "English", "e", "zz", "12"])
def test_what_is_no_code_is_unknown(text: str) -> None:
    assert parse_language(text) is None


def test_no_code_means_two_languages() -> None:
    languages = read_word_lists("catalog.sources", "languages.txt")
    codes = [*languages, *(code for codes in languages.values() for code in codes)]

    assert len(languages) == 183
    assert len(codes) == len(set(codes))
