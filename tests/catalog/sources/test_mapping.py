"""A mapping file says what each column is; what it says wrong is told with the key."""

from pathlib import Path

import pytest

from catalog.errors import CatalogError, MappingInvalid, SourceFileMissing, SourceFileUnreadable
from catalog.sources.generic import Generic
from catalog.sources.mapping import Texts, read_mapping
from catalog.sources.row_log import RowLog

WRONG = {
    "no TOML": ("name = shop", r"is no TOML: .*\(at line 1, column 8\)"),
    "unknown key": ('nmae = "x"', "nmae: there is no such key; known are name, scale, implicit, separator"),
    "unknown column": (
        '[ratings]\nseperator = ";"',
        "ratings.seperator: there is no such key; known are file",
    ),
    "unknown part": (
        '[items]\nauthors = { columns = ["a"], seperator = ";" }',
        "items.authors.seperator: there is no such key; known are columns, separator",
    ),
    "no column": ("[ratings]\nuser = 1", "ratings.user: Input should be a valid string"),
    "empty column": ('[ratings]\nuser = ""', "ratings.user: String should have at least 1 character"),
    "no name": ('name = "../up"', "name: expected small letters, digits and hyphens"),
    "no scale": ('scale = "five"', "scale: expected the lowest and the highest rating, such as 1-5"),
    "no separator": ('separator = "::"', "separator: expected one character, or tab"),
    "no encoding": ('[items]\nencoding = "klingon"', "items.encoding: expected a name such as utf-8"),
    "no format": ('[items]\nformat = "xml"', "items.format: Input should be 'csv', 'jsonl' or 'parquet'"),
    "no kind": ('[events]\nkinds = { seen = "saw" }', "events.kinds.seen: Input should be 'impression'"),
    "another folder": (
        '[items]\nfile = "../items.csv"',
        "items.file: expected the name of a file in the folder",
    ),
    "one sign twice": (
        '[items]\nquote = "|"\nseparator = "|"',
        "items: separator, quote and escape must differ",
    ),
    "columns of JSON": (
        '[items]\nfile = "items.json.gz"\ncolumns = ["a"]',
        "items: columns is for CSV files, and items.json.gz is jsonl",
    ),
    "two mistakes": ('name = ""\nscale = ""', "name: expected .*; scale: expected"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_with_the_file_and_the_key(tmp_path: Path, name: str) -> None:
    text, message = WRONG[name]
    path = tmp_path / "shop.toml"
    path.write_text(text)

    with pytest.raises(MappingInvalid, match=rf"shop.toml: {message}") as refused:
        read_mapping(path)

    assert isinstance(refused.value, CatalogError)
    assert "\n" not in str(refused.value)


def test_a_mapping_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceFileMissing, match=r"shop.toml: no such file"):
        read_mapping(tmp_path / "shop.toml")
    with pytest.raises(SourceFileUnreadable, match="cannot be read"):
        read_mapping(tmp_path)


def test_several_texts_are_written_as_a_column_as_several_or_with_their_separator(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    path.write_text(
        '[items]\nauthors = "by"\nisbn = ["a", "b"]\nsubjects = { columns = ["c"], separator = "|" }\n'
    )

    items = read_mapping(path).items

    assert items
    assert items.authors == Texts(columns=("by",))
    assert items.isbn == Texts(columns=("a", "b"), separator=";")
    assert items.subjects == Texts(columns=("c",), separator="|")


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_column_that_the_file_lacks_is_named_with_those_that_it_has(tmp_path: Path, ending: str) -> None:
    contents = {"csv": "who,item,stars\na,b,1\n", "jsonl": '{"who": "a", "item": "b", "stars": 1}\n'}
    (tmp_path / f"r.{ending}").write_text(contents[ending])
    path = tmp_path / "shop.toml"
    path.write_text(f'[ratings]\nfile = "r.{ending}"\nuser = "who"\nrating = "points"\n')

    source = read_mapping(path)

    message = f"shop.toml: ratings.rating names a column 'points', but r.{ending} has who, item, stars"
    with pytest.raises(MappingInvalid, match=message):
        list(Generic(tmp_path, source, at=path).ratings(RowLog(lambda *_: None)))
