"""What a mesh answers to a request of each kind, and how two such answers differ."""

import math
from collections.abc import Iterator
from typing import Any

import httpx

EXPECTED = "expected.json"
GETS = (
    "/v1/users/1/recommendations",
    "/v1/users/7/recommendations?k=5&mode=subjects",
    "/v1/users/7/ratings",
    "/v1/books/3",
    "/v1/books/3/similar",
    "/v1/books/popular",
    "/v1/search?q=almanac",
    "/v1/search/semantic?q=a+careful+almanac",
)
OPAQUE = "list_id"
POSTS = {"/v1/recommendations": {"subjects": ["Adventure"], "k": 10}}


def ask(client: httpx.Client) -> dict[str, Any]:
    """The bodies of the answers, by path."""
    responses = {
        **{path: client.get(path) for path in GETS},
        **{path: client.post(path, json=body) for path, body in POSTS.items()},
    }
    return {path: response.raise_for_status().json() for path, response in responses.items()}


def list_differences(expected: Any, actual: Any) -> list[str]:
    """Where an answer does not say what is expected; it may say more, round and name lists otherwise."""
    return list(_compare("", expected, actual))


def _compare(place: str, expected: Any, actual: Any) -> Iterator[str]:
    match expected, actual:
        case dict(), dict() if expected.keys() <= actual.keys():
            for key, value in expected.items():
                if key != OPAQUE:
                    yield from _compare(f"{place}/{key}", value, actual[key])
        case list(), list() if len(expected) == len(actual):
            for i, value in enumerate(expected):
                yield from _compare(f"{place}/{i}", value, actual[i])
        case float(), float() if math.isclose(expected, actual, rel_tol=1e-4, abs_tol=1e-6):
            return
        case _ if expected != actual:
            yield f"{place}: {actual} instead of {expected}"
