"""Reads the demo catalog's works, which are package data."""

import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import orjson

from catalog.isbn import build_isbn13
from foundation.text import to_ascii

UNASSIGNED_GROUP = "97899999"
"""No publisher has numbers that begin so: 10,000 valid ISBNs that belong to no real book."""
UNASSIGNED_PREFIX = "9799"
"""The same for made-up books in any number: agencies have 979-8, 979-10, 979-11 and 979-12 only."""


@dataclass(frozen=True, slots=True)
class Work:
    """A work of the demo catalog."""

    external_id: str
    title: str
    authors: tuple[str, ...]
    year: int
    language: str
    subjects: tuple[str, ...]
    description: str


def read_works() -> list[Work]:
    """All works of the package, in the order of their files."""
    folder = files("catalog.demo") / "works"
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".jsonl"))
    lines = [line for name in names for line in (folder / name).read_bytes().splitlines() if line.strip()]
    return [_to_work(orjson.loads(line)) for line in lines]


def number_isbns(external_ids: list[str]) -> list[str]:
    """A made-up but valid ISBN-13 for each work, which stays its own when works are added behind it."""
    taken: set[int] = set()
    isbns = []
    for external_id in external_ids:
        number = int.from_bytes(hashlib.sha256(external_id.encode()).digest()[:4]) % 10_000
        while number in taken:
            number = (number + 1) % 10_000
        taken.add(number)
        isbns.append(build_isbn13(f"{UNASSIGNED_GROUP}{number:04}"))
    return isbns


def made_up_isbn(number: int) -> str:
    """The valid ISBN-13 of a made-up edition."""
    return build_isbn13(f"{UNASSIGNED_PREFIX}{number:08}")


def _to_work(record: dict[str, Any]) -> Work:
    authors, subjects = tuple(record.pop("authors")), tuple(record.pop("subjects"))
    external_id = _slug(f"{record['title']} {authors[0] if authors else 'anonymous'}")
    return Work(external_id=external_id, authors=authors, subjects=subjects, **record)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", to_ascii(text).lower()).strip("-")[:64]
