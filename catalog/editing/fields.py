"""What an operator may write of a book, checked before anything is written."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypedDict, cast

from catalog.cleaning import EARLIEST_YEAR, author_key, check_year, repair_text, subject_key
from catalog.errors import EditInvalid
from catalog.subjects import MAX_SUBJECTS_A_BOOK
from catalog.tables import DESCRIPTION_LENGTH, NAME_LENGTH, TITLE_LENGTH

MOST_PAGES: Final = 100_000
_LANGUAGE: Final = re.compile("[a-z]{3}")


class BookFields(TypedDict, total=False):
    """Fields of a book; those that are absent are not written, None writes that it is unknown."""

    title: str
    authors: Sequence[str]
    year: int | None
    """Of first publication, negative before Christ."""
    language: str | None
    """ISO 639-2/B code."""
    description: str | None
    n_pages: int | None
    subjects: Sequence[str]
    """The most telling first."""


def clean_fields(fields: BookFields) -> BookFields:
    """The fields as they are to be written. Raises EditInvalid."""
    cleaned: Any = {name: _CLEANERS[name](value) for name, value in fields.items()}
    return cast("BookFields", cleaned)


def clean_name(field: str, name: str, key: Callable[[str], str]) -> str:
    """The name of an author or a subject. Raises EditInvalid."""
    clean = repair_text(name)
    if not key(clean) or len(clean) > NAME_LENGTH:
        raise EditInvalid(field, name, expected=f"a name of at most {NAME_LENGTH} characters")
    return clean


def clean_author(name: str) -> str:
    """The name of an author. Raises EditInvalid."""
    return clean_name("author", name, author_key)


def clean_subject(name: str) -> str:
    """The name of a subject. Raises EditInvalid."""
    return clean_name("subject", name, subject_key)


def _clean_title(title: str) -> str:
    clean = repair_text(title)
    if not 0 < len(clean) <= TITLE_LENGTH:
        raise EditInvalid("title", title, expected=f"1 to {TITLE_LENGTH} characters")
    return clean


def _clean_authors(names: Sequence[str]) -> list[str]:
    return list({author_key(name): name for name in map(clean_author, names)}.values())


def _clean_subjects(names: Sequence[str]) -> list[str]:
    subjects = list({subject_key(name): name for name in map(clean_subject, names)}.values())
    if len(subjects) > MAX_SUBJECTS_A_BOOK:
        raise EditInvalid("subjects", subjects, expected=f"at most {MAX_SUBJECTS_A_BOOK}")
    return subjects


def _clean_year(year: int | None) -> int | None:
    latest = datetime.now(UTC).year + 1
    if year is not None and check_year(year, latest=latest) is None:
        raise EditInvalid(
            "year", year, expected=f"{EARLIEST_YEAR} to {latest}, and not 0, which there never was"
        )
    return year


def _clean_language(language: str | None) -> str | None:
    if language is not None and not _LANGUAGE.fullmatch(language):
        raise EditInvalid("language", language, expected="three small letters of ISO 639-2, such as eng")
    return language


def _clean_description(description: str | None) -> str | None:
    if description is None:
        return None
    clean = repair_text(description)
    if len(clean) > DESCRIPTION_LENGTH:
        raise EditInvalid(
            "description", f"{clean[:40]}…", expected=f"at most {DESCRIPTION_LENGTH:,} characters"
        )
    return clean or None


def _clean_pages(n_pages: int | None) -> int | None:
    if n_pages is not None and not 0 < n_pages <= MOST_PAGES:
        raise EditInvalid("pages", n_pages, expected=f"1 to {MOST_PAGES:,}")
    return n_pages


_CLEANERS: Final[dict[str, Callable[[Any], Any]]] = {
    "title": _clean_title,
    "authors": _clean_authors,
    "year": _clean_year,
    "language": _clean_language,
    "description": _clean_description,
    "n_pages": _clean_pages,
    "subjects": _clean_subjects,
}
