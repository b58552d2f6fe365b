"""Countries as the catalog names them."""

from functools import cache

from catalog.word_lists import read_word_lists


def parse_country(location: str) -> str | None:
    """The English name of the country that ends a text such as "porto, , portugal"; None if none does."""
    last = location.rpartition(",")[2].strip().strip('."').lower()
    return _read_countries().get(last)


@cache
def _read_countries() -> dict[str, str]:
    countries = read_word_lists("catalog", "countries.txt")
    names = {name.lower(): name for name in countries}
    return names | {alias: name for name, aliases in countries.items() for alias in aliases}
