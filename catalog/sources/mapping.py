"""What a mapping file says of an operator's own files: which there are, how they are written, what is where.

A key that is not written means the column of its own name, where the file has one; docs/importing.md has an
example of every key.
"""

import re
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from catalog.errors import MappingInvalid, SourceFileMissing, SourceFileUnreadable, SourceOptionInvalid
from catalog.sources.csv_rows import CsvFormat
from catalog.sources.scale import Scale
from catalog.tables import OWN_SOURCE, SOURCE_LENGTH, EventKind

_NAME: Final = re.compile(rf"[a-z0-9][a-z0-9-]{{0,{SOURCE_LENGTH - 1}}}")
_SEPARATORS: Final = {"tab": "\t", "\\t": "\t"}
PACKED: Final = ".gz"
_OF_CSV: Final = "columns", "separator", "encoding", "quote", "escape"
"""Keys that other formats have no use for."""
_NO_COLUMNS: Final = frozenset({"time_format", "kinds", "always"})
"""Keys that tell how columns are read."""
SPLIT_AT: Final = ";"
"""What stands between several texts in one field, if nothing else is told."""


def _check_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"expected small letters, digits and hyphens, {SOURCE_LENGTH} at most")
    if name == OWN_SOURCE:
        raise ValueError("expected another name: this one is of readers who signed up here")
    return name


def _check_scale(text: str) -> str:
    try:
        Scale.from_text(text)
    except SourceOptionInvalid as error:
        raise ValueError(f"expected {error.expected}") from error
    return text


def _check_sign(sign: str) -> str:
    sign = _SEPARATORS.get(sign, sign)
    if len(sign) != 1 or sign in "\r\n":
        raise ValueError("expected one character, or tab")
    return sign


def _check_separator(sign: str) -> str:
    return _check_sign("" if sign == CsvFormat.quote else sign)


def _check_encoding(encoding: str) -> str:
    try:
        "a".encode(encoding)
    except (LookupError, ValueError) as error:
        raise ValueError("expected a name such as utf-8 or latin-1") from error
    return encoding


def _check_file(file: str) -> str:
    if Path(file).is_absolute() or ".." in Path(file).parts or not Path(file).name:
        raise ValueError("expected the name of a file in the folder")
    return file


Column = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Name = Annotated[str, AfterValidator(_check_name)]
ScaleText = Annotated[str, AfterValidator(_check_scale)]
Sign = Annotated[str, AfterValidator(_check_sign)]
Separator = Annotated[str, AfterValidator(_check_separator)]
Encoding = Annotated[str, AfterValidator(_check_encoding)]
FileName = Annotated[str, AfterValidator(_check_file)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Texts(_Model):
    """Several texts of one record: from several columns, or from one with a separator or a list in it."""

    columns: tuple[Column, ...]
    separator: Annotated[str, StringConstraints(min_length=1)] = SPLIT_AT


def _to_columns(value: Texts | tuple[str, ...] | str | bool | None) -> tuple[str, ...] | None:
    match value:
        case Texts():
            return value.columns
        case str():
            return (value,)
        case tuple() | None:
            return value
    return ()


def _to_texts(value: Any) -> Any:
    """A column, or several, may be written without a table around them."""
    columns = [value] if isinstance(value, str) else value
    return {"columns": columns} if isinstance(columns, list | tuple) else value


TextColumns = Annotated[Texts, BeforeValidator(_to_texts)]


class Format(StrEnum):
    """How a file is written; text may be compressed with gzip."""

    CSV = "csv"
    JSON_LINES = "jsonl"
    PARQUET = "parquet"


_ENDINGS: Final = {
    ".jsonl": Format.JSON_LINES, ".ndjson": Format.JSON_LINES, ".json": Format.JSON_LINES,
    ".parquet": Format.PARQUET,
}  # fmt: skip


class Table(_Model):
    """One file, and how it is written; what its columns are is told by the tables below."""

    file: FileName
    format: Format | None = None
    separator: Separator | None = None
    encoding: Encoding | None = None
    """These two are the mapping's own where a file does not tell another."""
    quote: Literal[""] | Sign = '"'
    """Nothing where quotes are ordinary letters."""
    escape: Sign | None = None
    columns: tuple[Column, ...] = ()
    """Names for the columns of a CSV file that has no line of names."""

    @property
    def written_as(self) -> Format:
        """The format, by the ending of the file's name if it is not told."""
        ending = Path(self.file.removesuffix(PACKED)).suffix.lower()
        return self.format or _ENDINGS.get(ending, Format.CSV)

    @model_validator(mode="after")
    def _check_signs(self) -> Self:
        signs = [sign for sign in (self.separator, self.quote, self.escape) if sign]
        if len(signs) != len(set(signs)):
            raise ValueError("separator, quote and escape must differ")
        told = [key for key in _OF_CSV if key in self.model_fields_set]
        if told and self.written_as is not Format.CSV:
            raise ValueError(f"{told[0]} is for CSV files, and {self.file} is {self.written_as}")
        return self

    def named(self) -> dict[str, tuple[str, ...] | None]:
        """The columns of every key that may have any; None where it is for the file to have them."""
        keys = [key for key in type(self).model_fields if key not in {*Table.model_fields, *_NO_COLUMNS}]
        return {key: _to_columns(getattr(self, key)) for key in keys}


class RatingTable(Table):
    """Who rated what."""

    file: FileName = "ratings.csv"
    user: Column | None = None
    item: Column | None = None
    rating: Column | Literal[False] | None = None
    """False where the file tells only who used what."""
    rated_at: Column | None = None
    time_format: str | None = None
    """As `strptime` has it, or "milliseconds"; without it seconds since 1970 or ISO 8601."""


class ItemTable(Table):
    """What can be rated."""

    file: FileName = "items.csv"
    item: Column | None = None
    work: Column | None = None
    """What several items share that are one book."""
    title: Column | None = None
    year: Column | None = None
    language: Column | None = None
    description: Column | None = None
    pages: Column | None = None
    """Of the edition whose ISBN it has."""
    authors: TextColumns | None = None
    isbn: TextColumns | None = None
    subjects: TextColumns | None = None
    characters: TextColumns | None = None
    """Fictional persons."""
    subject_flags: tuple[Column, ...] = ()
    """Columns of 0 and 1 (or false and true), each named after a subject."""


class UserTable(Table):
    """Who the readers are."""

    file: FileName = "users.csv"
    user: Column | None = None
    age: Column | None = None
    gender: Column | None = None
    occupation: Column | None = None
    postal_code: Column | None = None
    country: Column | None = None


class EventTable(Table):
    """What readers did besides rating."""

    file: FileName = "events.csv"
    user: Column | None = None
    item: Column | None = None
    kind: Column | None = None
    kinds: dict[str, EventKind] = {}
    """What the file calls them, where these are not our names."""
    always: EventKind | None = None
    """The kind of all rows of a file without a column of kinds."""
    at: Column | None = None
    time_format: str | None = None


class Mapping(_Model):
    """All files of a source."""

    name: Name = "csv"
    scale: ScaleText = "1-10"
    implicit: Annotated[str, StringConstraints(max_length=20)] = ""
    """How a rating is written that says that a reader used an item and did not judge it."""
    separator: Separator = CsvFormat.separator
    encoding: Encoding = CsvFormat.encoding
    ratings: RatingTable | None = None
    items: ItemTable | None = None
    users: UserTable | None = None
    events: EventTable | None = None

    @property
    def is_bare(self) -> bool:
        """Whether it names no table."""
        return not any((self.ratings, self.items, self.users, self.events))


def build_mapping(**options: str) -> Mapping:
    """The mapping of the usual files, with options as an operator writes them. Raises SourceOptionInvalid."""
    try:
        return Mapping.model_validate(options)
    except ValidationError as error:
        mistake = error.errors()[0]
        key, why = str(mistake["loc"][0]), _explain(mistake).partition("expected ")[2]
        raise SourceOptionInvalid(key, options[key], expected=why) from error


def read_mapping(path: Path) -> Mapping:
    """A mapping file. Raises MappingInvalid, SourceFileMissing or SourceFileUnreadable."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        return Mapping.model_validate(content)
    except FileNotFoundError as error:
        raise SourceFileMissing(path, expected="the mapping") from error
    except OSError as error:
        raise SourceFileUnreadable(path, f"cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise MappingInvalid(path, "; ".join(map(_explain, error.errors()))) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MappingInvalid(path, f"is no TOML: {error}") from error


TABLES: Final[dict[str, type[Table]]] = {
    "ratings": RatingTable, "items": ItemTable, "users": UserTable, "events": EventTable
}  # fmt: skip


def _explain(mistake: ErrorDetails) -> str:
    """The key that is wrong, and why."""
    # Of a key that may be one of several things, pydantic also names the thing.
    parts = [str(part) for part in mistake["loc"] if not re.search(r"[\[-]", str(part))]
    why = mistake["msg"].removeprefix("Value error, ")
    if mistake["type"] == "extra_forbidden":
        models = Mapping, TABLES.get(parts[0], Mapping), Texts
        why = f"there is no such key; known are {', '.join(models[len(parts) - 1].model_fields)}"
    return f"{'.'.join(parts)}: {why}"
