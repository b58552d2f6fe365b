from pathlib import Path

import pytest

from catalog.countries import parse_country
from catalog.word_lists import read_word_lists


def test_lists_have_a_name_and_words_and_go_on_in_indented_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "words_of_a_test"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "lists.txt").write_text(
        "# of\n\nBirds: wren;\n  blue tit ; owl\n# and\nNobody\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(tmp_path)

    lists = read_word_lists("words_of_a_test", "lists.txt")

    assert lists == {"Birds": ("wren", "blue tit", "owl"), "Nobody": ()}


def test_every_country_is_known_by_its_own_name_and_no_alias_means_two() -> None:
    countries = read_word_lists("catalog", "countries.txt")
    aliases = [alias for names in countries.values() for alias in names]

    assert len(countries) > 150
    assert all(parse_country(f"somewhere, {name.lower()}") == name for name in countries)
    assert len(aliases) == len(set(aliases))
    assert not set(aliases) & {name.lower() for name in countries}
