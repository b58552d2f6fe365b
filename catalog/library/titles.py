"""Takes titles apart, and tells how surely two are those of one book."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from catalog.cleaning import repair_text
from catalog.library.words import ARTICLES, LISTS, Words, differ_by_typing, read_number, split_words

SAME, JOINED, TYPING, NO_LEAD, NO_SERIES, NO_SUBTITLE = 1.0, 0.98, 0.92, 0.93, 0.93, 0.91
"""How sure a title is: as it is, but for spaces, typing, "The adventures of", its series, its subtitle."""
NO_SECOND_TITLE: Final = 0.78
"""But for what may be a subtitle, or the title of one book of a series: "The Two Towers"."""
PART: Final = 0.5
"""One title is a part of the other, or says that it is another volume or a book about the book."""

_KINDS: Final = frozenset(LISTS["kinds"])
_KINDS_OF_SERIES: Final = frozenset(LISTS["kinds of series"])
_EXPLAINING: Final = frozenset(LISTS["explaining"])
_LEADS: Final = tuple(tuple(lead.split()) for lead in LISTS["leads"])
_LONGEST_SECOND_TITLE: Final = 3
"""Words; a longer subtitle explains the title."""

_GROUP: Final = re.compile(r"\s*(?:\(((?:[^()]|\([^()]*\))*)\)?|\[([^\[\]]*)\])\s*$")
"""What stands in brackets at the end, as (Dune, #1) or [Movie Tie-In]."""
_BOOK: Final = r"\b(?:book|bk)\b\.?\s*"
_VOLUME: Final = rf"(?:#|{_BOOK}|\b(?:vol(?:ume)?|part|number|band|bd|tome|teil|issue)\b\.?\s*)"
_IN_SERIES: Final = re.compile(
    rf"(.*?)[\s,]*(?:{_VOLUME}|\bno\b\.?\s*)(\d{{1,4}})(?:\.\d+)?(.*)", re.IGNORECASE
)
_BOOK_OF: Final = re.compile(
    rf"\s*[:;]\s+(?P<before>[^:;]*?)[\s,]*{_BOOK}(?P<place>\w+)(?:\s+(?:of|in)\s+(?P<after>[^:;]+))?$",
    re.IGNORECASE,
)
_NUMBERED: Final = re.compile(rf"[,.]?\s*{_VOLUME}(\w+)\b[,.]?", re.IGNORECASE)
_EDITION: Final = re.compile(r"[,:]?\s+(?:the\s+)?[\w.]+(?:\s+anniversary)?\s+edition\s*$", re.IGNORECASE)
_LATE_ARTICLE: Final = re.compile(r"(.*),\s+(the|an?)", re.IGNORECASE)
_ALTERNATIVE: Final = re.compile(r"\s*[,;:]\s*or,?\s+|\s+or,\s+")
_SUBTITLE: Final = re.compile(r"\s*[:;]\s+|\s+:\s*|\s+[-–—]+\s+|,\s+(?=an?\s)")
_EXPLAINS: Final = re.compile(r"an?\s", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Title:
    """A title and what is said with it."""

    main: Words
    subtitle: Words
    explains: bool
    """Whether the subtitle is surely no title of its own."""
    volumes: frozenset[int]
    """The numbers of the volume that the title itself tells."""
    kinds: frozenset[str]
    """What kind of book it is: a guide, a box."""
    series: Words
    """The name of the series that is told with the title; no words if there is none."""
    place: int | None
    """Its place in the series."""


@dataclass(slots=True)
class _Told:
    """What is told with a title, gathered while it is taken off."""

    kinds: set[str]
    volumes: set[int]
    series: Words = ()
    place: int | None = None


@lru_cache(maxsize=65_536)
def read_title(text: str) -> Title:
    """What stands in a title."""
    told = _Told(set(), set())
    text = _take_off_groups(repair_text(text), told)
    text = _take_off_series(text, told)
    text = _EDITION.sub("", text) or text
    if late := _LATE_ARTICLE.fullmatch(text):
        text = f"{late[2]} {late[1]}"
    text = _ALTERNATIVE.sub(": or ", _take_off_volumes(text, told)).strip(" :;,")
    parts = _SUBTITLE.split(text, 1)
    main, subtitle = (split_words(part) for part in (*parts, "")[:2])
    return Title(
        main=main,
        subtitle=subtitle,
        explains=bool(_EXPLAINS.match(parts[-1])) or not _EXPLAINING.isdisjoint(subtitle),
        volumes=frozenset(told.volumes),
        kinds=frozenset(told.kinds | _KINDS.intersection((*main, *subtitle))),
        series=told.series,
        place=told.place,
    )


def compare_titles(ours: Title, theirs: Title) -> float:
    """How surely two titles are those of one book, 0 to 1; it is the same the other way round."""
    sure = max(_compare_whole(ours, theirs), _compare_parts(ours, theirs), _compare_parts(theirs, ours))
    if sure > PART and not (ours.kinds == theirs.kinds and _is_same_volume(ours, theirs)):
        return PART
    return sure or (PART if _is_part(ours.main, theirs.main) else 0.0)


def _take_off_groups(text: str, told: _Told) -> str:
    while (found := _GROUP.search(text)) and text[: found.start()].strip():
        text, group = text[: found.start()], found[1] or found[2] or ""
        if numbered := _IN_SERIES.fullmatch(group):
            told.series, told.place = split_words(numbered[1]), int(numbered[2])
            told.kinds |= {"boxed"} if re.search("[-–]", numbered[3]) else set()
            told.kinds |= {"part"} if "part" in numbered[3] else set()
        else:
            words = split_words(group)
            told.series = told.series or words
            told.kinds |= _KINDS.intersection(words) - _KINDS_OF_SERIES
    return text


def _take_off_series(text: str, told: _Told) -> str:
    """A subtitle such as "Mistborn, Book 1" or "Book Two of The Wheel of Time"."""
    if found := _BOOK_OF.search(text):
        name = split_words(found["before"] or found["after"] or "")
        if name:
            told.series, told.place = name, read_number(found["place"])
            told.kinds |= _KINDS.intersection(name) - _KINDS_OF_SERIES
            return text[: found.start()]
    return text


def _take_off_volumes(text: str, told: _Told) -> str:
    def note(found: re.Match[str]) -> str:
        number = read_number(found[1])
        if number is None:
            return found[0]
        told.volumes.add(number)
        return " "

    return _NUMBERED.sub(note, text) or text


def _compare_whole(ours: Title, theirs: Title) -> float:
    sure = _alike(_without_articles(ours), _without_articles(theirs))
    if sure < SAME and ours.subtitle and theirs.subtitle and (main := _alike(ours.main, theirs.main)):
        shared = set(ours.subtitle) & set(theirs.subtitle)
        is_same = 2 * len(shared) > min(len(set(ours.subtitle)), len(set(theirs.subtitle)))
        both_explain = ours.explains and theirs.explains
        return max(sure, main * NO_SUBTITLE if is_same else main * NO_SECOND_TITLE if both_explain else PART)
    return sure


def _compare_parts(longer: Title, shorter: Title) -> float:
    """The title of one with a part of that of the other: without its subtitle, or without its series."""
    if not longer.subtitle or shorter.subtitle:
        return 0.0
    is_telling = sum(map(len, longer.subtitle)) > 5
    without_series = _alike(longer.subtitle, shorter.main) * NO_SERIES if is_telling else 0.0
    explains = longer.explains or len(longer.subtitle) > _LONGEST_SECOND_TITLE
    shortened = NO_SUBTITLE if explains else NO_SECOND_TITLE
    return max(without_series, _alike(longer.main, shorter.main) * shortened)


def _is_same_volume(ours: Title, theirs: Title) -> bool:
    """Whether both tell the same number; where the title of one has none, its place in the series counts."""
    if ours.volumes and theirs.volumes:
        return ours.volumes == theirs.volumes
    return ours.volumes <= {theirs.place} and theirs.volumes <= {ours.place}


def _alike(ours: Words, theirs: Words) -> float:
    if ours == theirs:
        return SAME
    if "".join(ours) == "".join(theirs):
        return JOINED
    if differ_by_typing(ours, theirs):
        return TYPING
    return NO_LEAD if _without_lead(ours) == _without_lead(theirs) else 0.0


def _without_articles(title: Title) -> Words:
    return tuple(word for word in title.main + title.subtitle if word not in ARTICLES)


def _without_lead(words: Words) -> Words:
    return next((words[len(lead) :] for lead in _LEADS if words[: len(lead)] == lead), words)


def _is_part(ours: Words, theirs: Words) -> bool:
    shorter, longer = sorted((ours, theirs), key=len)
    return bool(shorter) and longer[: len(shorter)] == shorter
