"""What names a list, for the cache and for clients."""

import hashlib
from typing import Final, Literal, get_args

from gateway.schemas import LIST_MODES

Surface = Literal["recommendations", "similar", "popular", "search", "books"]
"""Where the API shows a list."""

SURFACES: Final = frozenset(get_args(Surface))
MODES: Final = frozenset({*LIST_MODES, "browse"})
OTHER: Final = "other"


def digest(*parts: object) -> str:
    """32 hex digits for all the parts, which may hold a whole POST body and what readers search for."""
    text = ":".join(map(str, parts))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def name_list(surface: Surface, mode: str, *parts: object) -> str:
    """The id of a list, which tells of itself where it was shown and how its books were found."""
    return f"{surface}.{mode}.{digest(*parts)}"


def read_list_id(list_id: str | None) -> tuple[str, str]:
    """Surface and mode of the list; `other` of what no gateway has named so: clients may send anything."""
    surface, _, rest = (list_id or "").partition(".")
    mode = rest.partition(".")[0]
    return (surface, mode) if surface in SURFACES and mode in MODES else (OTHER, OTHER)
