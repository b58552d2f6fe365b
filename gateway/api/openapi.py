"""The OpenAPI document, completed by what FastAPI does not know: the headers and the error body."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi.routing import APIRoute

from contracts.shell import REQUEST_ID_HEADER, VERSION_HEADER
from gateway.api import problems
from gateway.api.middleware import is_limited
from gateway.limits.limits import LIMIT, REMAINING, RESET

_TEXT: Final = {"type": "string"}
_COUNT: Final = {"type": "integer"}
HEADERS: Final[Mapping[str, dict[str, Any]]] = {
    REQUEST_ID_HEADER: {
        "description": "The id that the caller gave, or a new one: it is in every line of our logs.",
        "required": True,
        "schema": _TEXT,
    },
    VERSION_HEADER: {
        "description": "The artifact version that the answer was made from.",
        "required": True,
        "schema": _TEXT,
    },
    "Retry-After": {
        "description": "Seconds after which to come back.",
        "required": True,
        "schema": _COUNT,
    },
    LIMIT: {"description": "Requests that may come at once.", "required": True, "schema": _COUNT},
    REMAINING: {"description": "How many of them are left.", "required": True, "schema": _COUNT},
    RESET: {"description": "Seconds after which all are again.", "required": True, "schema": _COUNT},
    "Location": {
        "description": "Where to ask instead, or for what becomes of it.",
        "required": True,
        "schema": _TEXT,
    },
    "WWW-Authenticate": {"description": "How to say who asks.", "required": True, "schema": _TEXT},
    "ETag": {
        "description": "The state of the answer, for `If-None-Match`.",
        "required": True,
        "schema": _TEXT,
    },
    "Cache-Control": {
        "description": "`no-cache`: kept, but asked about before each use.",
        "required": True,
        "schema": _TEXT,
    },
    "Allow": {"description": "The methods of the path.", "required": True, "schema": _TEXT},
}


TAGS: Final = [
    {"name": name, "description": description}
    for name, description in {
        "books": "Listed by filters, shown, and those like one.",
        "search": "By words, and by meaning.",
        "subjects": "What books are about.",
        "authors": "Found by name, and shown with their books.",
        "recommendations": "For a reader whom a service or an admin names; for anyone, from what they like.",
        "accounts": "Sign up, log in and out; passwords.",
        "me": "The reader who has logged in: profile, lists, ratings, shelf, dismissals, library.",
        "users": "Readers whom services bring.",
        "ratings": "Those of a reader whom a service or an admin names.",
        "shelf": "What such a reader wants to read.",
        "dismissals": "What such a reader does not want to be shown.",
        "events": "What came of lists.",
        "model": "The version that answers, and how it was judged.",
        "admin": "For whoever tends the mesh.",
        "operation": "Health, versions, probes and metrics.",
    }.items()
]
"""In the order of the API page."""
_OWN_PARTS: Final = {"me": "/v1/me", "admin": "/v1/admin"}


def name_operation(route: APIRoute) -> str:
    """What generated clients call a route: its function here, after the part of the API that has its own."""
    part = next((part for part, path in _OWN_PARTS.items() if route.path.startswith(path)), None)
    return route.name if part is None else f"{part}_{route.name}"


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """The document of FastAPI, with all that every operation answers."""
    components = document["components"]
    schema = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    components["schemas"] |= {**schema.pop("$defs"), "Problem": schema}
    components["headers"] = dict(HEADERS)
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if "401" in operation["responses"]:
                # A route that needs a token says so itself; others take one, and are open to anyone too.
                operation.setdefault("security", [{}, {"bearer": []}])
            for status, response in operation["responses"].items():
                names = [*_list_headers(int(status)), *response.get("headers", ())]  # and what the route says
                if is_limited(path) and (int(status) < 400 or status == "429"):
                    names += [LIMIT, REMAINING, RESET]
                if "304" in operation["responses"] and status in ("200", "304"):
                    names += ["ETag", "Cache-Control"]
                response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    return document


def _list_headers(status: int) -> list[str]:
    """What every answer of this status has; refusals of a connection know no version."""
    names = [REQUEST_ID_HEADER]
    if status < 300 or status == 304:
        names.append(VERSION_HEADER)
    if status == 308:
        names.append("Location")
    if status == 401:
        names.append("WWW-Authenticate")
    if status == 405:
        names.append("Allow")
    if status in (429, 503):
        names.append("Retry-After")
    return names
