import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.cleaning import (
    author_key,
    check_year,
    parse_age_group,
    parse_year,
    repair_text,
    title_key,
    work_key,
)
from catalog.countries import parse_country


@pytest.mark.parametrize(
    ("broken", "text"),
    [
        ("QuerschÃ?Â¼sse", "Querschüsse"),
        ("Pourquoi j'ai mangÃ?Â© mon pÃ?Â¨re", "Pourquoi j'ai mangé mon père"),
        ("StraÃ?Â?enbahn", "Straßenbahn"),
        ("Nacht Ã?Â¼ber den Wassern", "Nacht über den Wassern"),
        ("CafÃ© MÃ¼ller", "Café Müller"),
        ("Fish &amp; Chips  &quot;now&quot;", 'Fish & Chips "now"'),
    ],
)
def test_broken_text_is_repaired_where_it_is_certain(broken: str, text: str) -> None:
    assert repair_text(broken) == text


@pytest.mark.parametrize(
    "text", ["Ã?Â?lschiefer", "Ã?Â¿Quien?", "Las cenizas de Ã?ngela", "São Paulo", "Ångström", "naïve"]
)
def test_text_that_may_mean_several_things_is_left_alone(text: str) -> None:
    assert repair_text(text) == text


@given(text=st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="&\x7f\xa0")))
def test_utf8_read_as_latin1_always_comes_back(text: str) -> None:
    broken = text.encode().decode("latin-1")

    assert repair_text(broken) in (" ".join(text.split()), repair_text(text))


@pytest.mark.parametrize(
    "title",
    [
        "The Lovely Bones",
        "Lovely Bones",
        "the lovely bones.",
        "The Lovely Bones: A Novel",
        "LOVELY BONES (Large Print)",
        "The Lovely Bones (Oprah's Club (Paperback))",
        "The Lovely  Bones (cut off",
    ],
)
def test_titles_of_one_work_share_a_key(title: str) -> None:
    assert title_key(title) == "lovely bones"


def test_volumes_differ() -> None:
    assert title_key("Love Hina (Book 1)") != title_key("Love Hina (Vol. 2)")


@pytest.mark.parametrize("title", ["(Untitled)", "A Novel", "The", "???", "Roman"])
def test_titles_of_little_but_noise_keep_what_they_have(title: str) -> None:
    assert title_key(title) or title == "???"


@pytest.mark.parametrize(
    "name", ["J. K. Rowling", "J.K. Rowling", "Rowling, J. K.", "JK ROWLING", "j k rowling"]
)
def test_an_author_has_one_key_however_written(name: str) -> None:
    assert author_key(name) == "jk rowling"


def test_accents_do_not_make_another_author() -> None:
    assert author_key("Gabriel García Márquez") == author_key("Gabriel Garcia Marquez")


def test_first_names_may_be_initials_in_the_key_of_a_work() -> None:
    assert work_key("Emma", "Jane Austen") == work_key("Emma", "J. Austen") != work_key("Emma", "Kate Austen")


@pytest.mark.parametrize(
    ("age", "group"),
    [
        ("4", None),
        ("5", "5-12"),
        ("12", "5-12"),
        ("13", "13-17"),
        ("34", "25-34"),
        ("100", "65-100"),
        ("101", None),
        ("239", None),
        ("", None),
        ("-3", None),
        ("old", None),
        ("²", None),
    ],
)
def test_ages_outside_5_to_100_are_unknown(age: str, group: str | None) -> None:
    assert parse_age_group(age) == group


@pytest.mark.parametrize(
    ("location", "country"),
    [
        ("houston, texas, usa", "United States"),
        ("porto, v.n.gaia, portugal", "Portugal"),
        ("köln, , deutschland", "Germany"),
        ("oxford, england, united kingdom", "United Kingdom"),
        ("x, y, n/a", None),
        ("", None),
        ("london, england,", None),
    ],
)
def test_the_country_ends_a_location(location: str, country: str | None) -> None:
    assert parse_country(location) == country


def test_impossible_years_are_unknown() -> None:
    years = [
        parse_year(text, latest=2027) for text in ("1999", "September 1, 2001", "0", "2050", "", "19991")
    ]

    assert years == [1999, 2001, None, None, None, None]
    assert [check_year(year, latest=2027) for year in (-750, 0, 2027, 2028, None)] == [
        -750,
        None,
        2027,
        None,
        None,
    ]
