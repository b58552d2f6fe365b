"""Tells by its first bytes what a file is, and how its text is encoded."""

import re
from typing import Final, NamedTuple

HEAD_BYTES: Final = 1024
"""How much of a file is looked at."""


class Kind(NamedTuple):
    """What a file is, in words, and what to do to have text of it."""

    name: str
    remedy: str


_UNPACK, _EXPORT = "unpack it", "export it as text"
_WORKBOOK = Kind("an Excel workbook", _EXPORT)
_BEGINNINGS: Final = {
    b"PK\x03\x04": Kind("a zip archive", _UNPACK),
    b"PK\x05\x06": Kind("an empty zip archive", "download it again"),
    b"\x1f\x8b": Kind("a gzip file", _UNPACK),
    b"BZh": Kind("a bzip2 file", _UNPACK),
    b"\xfd7zXZ\x00": Kind("an xz file", _UNPACK),
    b"\x28\xb5\x2f\xfd": Kind("a Zstandard file", _UNPACK),
    b"7z\xbc\xaf\x27\x1c": Kind("a 7-Zip archive", _UNPACK),
    b"Rar!": Kind("a RAR archive", _UNPACK),
    b"\xd0\xcf\x11\xe0": _WORKBOOK,
    b"PAR1": Kind("a Parquet file", _EXPORT),
    b"SQLite format 3\x00": Kind("an SQLite database", _EXPORT),
    b"%PDF-": Kind("a PDF document", _EXPORT),
}
_IN_WORKBOOKS: Final = b"[Content_Types].xml"
_PAGE: Final = Kind("a web page", "download it again: this is what a server had to say instead")
_PAGE_BEGINS: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s|html|head|\?xml)", re.IGNORECASE)
_MARKS: Final = {
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
    b"\xef\xbb\xbf": "utf-8-sig",
}
"""Byte order marks, the longer ones first, as one begins with another."""


def find_kind(head: bytes) -> Kind | None:
    """What a file is that begins so; None for text, and for what is not known."""
    if _PAGE_BEGINS.match(head):
        return _PAGE
    found = next((kind for magic, kind in _BEGINNINGS.items() if head.startswith(magic)), None)
    return _WORKBOOK if found and _IN_WORKBOOKS in head else found


def find_encoding(head: bytes) -> str | None:
    """The encoding that a byte order mark tells, or that has every other byte of plain letters empty."""
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding
    even, odd = head[0:16:2], head[1:16:2]
    if any(even) == any(odd):
        return None
    return "utf-16-le" if any(even) else "utf-16-be"


def describe_head(head: bytes) -> str:
    """What begins so, for messages."""
    kind, encoding = find_kind(head), find_encoding(head)
    return kind.name if kind else f"text in {encoding}" if encoding else f"{head[:60]!r}"
