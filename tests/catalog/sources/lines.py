"""Lines of dumps, and ways to damage them."""

import gzip
import itertools
import json
import os
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from catalog.demo.mess import Messy
from catalog.demo.source import Demo
from tests.catalog.dump import write_book_crossing, write_open_library

N_LINES = 60
NASTY = (
    b'"',
    b'""',
    b"\\",
    b";",
    b",",
    b"\t",
    b"\n",
    b"\r",
    b"\x00",
    b"NULL",
    b"null",
    b"{",
    b"\xff",
    b"",
    b"9" * 5_000,
)
WRONG_VALUES = st.sampled_from(
    (None, 0, -1.5, True, "", "x", "\x00", [], {}, [None], [[]], {"key": 1}, {"value": []})
)


def write_cut(folder: Path) -> None:
    """A small dump of both formats: the first lines of the real files where they are at hand."""
    data = os.environ.get("BOOKMESH_EVAL_DATA")
    if not data:
        write_book_crossing(Messy(Demo(users=20, ratings=100)), folder)
        write_open_library(Demo(users=20, ratings=100), folder)
        paths = sorted(folder.iterdir())
    else:
        paths = [path for kind in ("book-crossing", "open-library") for path in (Path(data) / kind).iterdir()]
    for path in paths:
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rb") as file:
            lines = list(itertools.islice(file, N_LINES))
        content = b"".join(lines)
        (folder / path.name).write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@st.composite
def damaged(draw: st.DrawFn, line: bytes) -> bytes:
    """The line with some bytes taken out and others put in; its end stays."""
    body = line.rstrip(b"\r\n")
    end = line[len(body) :]
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(body)))
        body = body[:start] + draw(st.sampled_from(NASTY)) + body[start + draw(st.integers(0, 3)) :]
    return body + end


@st.composite
def wrongly_typed(draw: st.DrawFn, line: bytes) -> bytes:
    """A record of Open Library with another value in the place of one of its own, at any depth."""
    *fields, text = line.split(b"\t", 4)
    record = json.loads(text)
    places = list(_places(record))
    parent, key = draw(st.sampled_from(places))
    parent[key] = draw(WRONG_VALUES)
    return b"\t".join([*fields, json.dumps(record).encode()]) + b"\n"


def _places(value: Any) -> Any:
    """Every place of a value within others: what holds it, and under which key."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)
