"""Reads that clients may keep: each names its state, and who has that already is told so in few bytes."""

import hashlib
from typing import Any, Final

from fastapi import Request, Response

from contracts.shell import VERSION_HEADER
from gateway.api.lean import LeanRoute

NOT_MODIFIED: Final[dict[int | str, dict[str, Any]]] = {
    304: {"description": "`If-None-Match` names the present state: what the client has is still right."}
}
"""The answer of a route of this class, for its OpenAPI description."""
CACHE_CONTROL: Final = "no-cache"
"""Kept, but asked about before each use: an import or an operator may change any book at any time."""


class ConditionalRoute(LeanRoute):
    """A route with an `ETag` on what it answers to GET, and 304 for who names it in `If-None-Match`.

    The tag is weak, since compressed or not the answer is the same; it is a digest of the body, so that it
    changes with the version, with the catalog, and with what a lost server leaves out.
    """

    def complete(self, request: Request, response: Response) -> Response:
        """The answer with its tag, or only that."""
        if response.status_code != 200:
            return response
        tag = f'W/"{hashlib.blake2b(response.body, digest_size=12).hexdigest()}"'
        response.headers["ETag"] = tag
        response.headers["Cache-Control"] = CACHE_CONTROL
        if not _names(request.headers.get("if-none-match", ""), tag):
            return response
        kept = ("ETag", "Cache-Control", VERSION_HEADER)
        headers = {name: response.headers[name] for name in kept if name in response.headers}
        return Response(status_code=304, headers=headers)


def _names(if_none_match: str, tag: str) -> bool:
    """Whether the header names the tag, by the weak comparison of RFC 9110, section 8.8.3.2."""
    named = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    return "*" in named or tag.removeprefix("W/") in named
