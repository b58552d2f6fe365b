"""Servers that are well, with models that answer nonsense: no request fails, and `degraded` names them."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest

from artifacts.store import ArtifactStore
from contracts.shell import SERVER_NAMES, ServerName
from servers.errors import NoKnownFavourites
from servers.shell.answers import respond
from servers.shell.routes import ModelServer
from servers.shell.serve import find_server
from tests.gateway import running
from tests.gateway.running import SOUP_FAN, SPACE_READER
from tests.servers import running as servers
from tests.servers import tiny

HISTORY = f"/v1/users/{SPACE_READER}/recommendations"
FAVOURITES = f"/v1/users/{SOUP_FAN}/recommendations"
SUBJECTS = f"/v1/users/{SPACE_READER}/recommendations?mode=subjects"
Lie = Callable[[dict[str, Any]], Any]
"""What becomes of an answer; None is said as null."""


@dataclass
class Liar:
    """One server with its model, and what it makes of answers at a path."""

    name: ServerName
    lies: dict[str, Lie] = field(default_factory=dict)

    def build(self) -> ModelServer[Any]:
        server = find_server(self.name)
        routes = (replace(route, answer=self._twist(route.path, route.answer)) for route in server.routes)
        return replace(server, routes=tuple(routes))

    def _twist(self, path: str, answer: Callable[..., Any]) -> Callable[..., Any]:
        def twisted(model: Any, version: str, request: Any) -> Any:
            truth = answer(model, version, request)
            lie = self.lies.get(path)
            return truth if lie is None else json.dumps(lie(json.loads(respond(truth).body))).encode()

        return twisted


@pytest.fixture(scope="module")
def liars() -> dict[ServerName, Liar]:
    return {name: Liar(name) for name in SERVER_NAMES}


@pytest.fixture(scope="module")
def client(liars: dict[ServerName, Liar], tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A gateway over them that keeps nothing and gives nobody up."""
    home = running.build_home(tmp_path_factory.mktemp("liars"))
    models = servers.settings_for(home)
    tiny.publish(ArtifactStore(models.artifacts_root), home)
    with ExitStack() as stack:
        urls = {
            name: str(stack.enter_context(servers.serving(liar.build(), models)).base_url)
            for name, liar in liars.items()
        }
        options = {"cache": {"response_bytes": 1, "cards": 1}, "breaker": {"failures": 1000}}
        yield stack.enter_context(running.gateway(running.settings_for(home, urls, **options)))


def change(**values: Any) -> Lie:
    return lambda answer: {**answer, **values}


NONSENSE: dict[str, Lie] = {
    "null": lambda answer: None,
    "a list": lambda answer: [answer],
    "nothing but the version": lambda answer: {"version": answer["version"]},
    "another version": change(version="20000101T000000Z-000000"),
}
BAD_LISTS: dict[str, Lie] = NONSENSE | {
    "fewer scores": lambda answer: {**answer, "scores": answer["scores"][1:]},
    "a score that is no number": lambda answer: {**answer, "scores": [float("nan"), *answer["scores"][1:]]},
    "a score without end": lambda answer: {**answer, "scores": [float("inf"), *answer["scores"][1:]]},
    "text for scores": lambda answer: {**answer, "scores": ["much" for _ in answer["scores"]]},
    "ids below zero": lambda answer: {**answer, "book_ids": [-book_id for book_id in answer["book_ids"]]},
    "ids of 70 bits": lambda answer: {**answer, "book_ids": [2**70 + each for each in answer["book_ids"]]},
    "unknown books": lambda answer: {**answer, "book_ids": [10**9 + each for each in answer["book_ids"]]},
    "one book again and again": lambda answer: {**answer, "book_ids": [11 for _ in answer["book_ids"]]},
}
OTHER_CARD = {
    "book_id": 999,
    "title": "A",
    "authors": [],
    "isbns": [],
    "subjects": [],
    "n_ratings": 0,
} | dict.fromkeys(("year", "language", "main_subject", "description", "mean_rating"))
BAD_CARDS: dict[str, Lie] = NONSENSE | {
    "no card": change(cards=[]),
    "cards without titles": lambda answer: {**answer, "cards": [{"book_id": 11}]},
    "cards of others": change(cards=[OTHER_CARD]),
}
BAD_VECTORS: dict[str, Lie] = NONSENSE | {
    "no vector": change(vector=[]),
    "a vector that is no number": lambda answer: {
        **answer,
        "vector": [float("nan") for _ in answer["vector"]],
    },
    "a vector as long as the sky": lambda answer: {**answer, "vector": [1e300 for _ in answer["vector"]]},
}


def refuse(answer: dict[str, Any]) -> None:
    """Nothing is learned of subjects: then the embedder and similarity find books by them."""
    raise NoKnownFavourites


def cut_short(answer: dict[str, Any]) -> dict[str, Any]:
    """So that the scores of other books have to be asked for."""
    return {**answer, "book_ids": answer["book_ids"][:5], "scores": answer["scores"][:5]}


NO_FAVOURITES = ("als", "/rank-new", refuse)
NEAR_IS_SHORT, POPULAR_IS_SHORT = ("similarity", "/nearest", cut_short), ("metadata", "/popular", cut_short)
# Among popular books, those that nobody knows are too few to be noticed.
BAD_NEAREST = {told: lie for told, lie in BAD_LISTS.items() if told != "unknown books"}
CASES: list[tuple[ServerName, str, str, dict[str, Lie], list[tuple[ServerName, str, Lie]]]] = [
    ("als", "/rank", HISTORY, BAD_LISTS, []),
    ("als", "/rank-new", FAVOURITES, BAD_LISTS, []),
    ("embedder", "/embed", SUBJECTS, BAD_VECTORS, [NO_FAVOURITES]),
    ("similarity", "/nearest", SUBJECTS, BAD_NEAREST, [NO_FAVOURITES]),
    ("similarity", "/scores", SUBJECTS, BAD_LISTS, [NO_FAVOURITES, NEAR_IS_SHORT]),
    ("similarity", "/similar", "/v1/books/44/similar", BAD_LISTS, []),
    ("metadata", "/cards", HISTORY, BAD_CARDS, []),
    ("metadata", "/popular", "/v1/books/popular", BAD_LISTS, []),
    ("metadata", "/scores", SUBJECTS, BAD_LISTS, [NO_FAVOURITES, POPULAR_IS_SHORT]),
    ("metadata", "/search", "/v1/search?q=soup", BAD_LISTS, []),
    ("semantic", "/search", "/v1/search/semantic?q=soup", BAD_LISTS, []),
]
"""Whose lies, where; the request that they are told for, and what else is needed for that."""


@pytest.mark.parametrize(
    ("name", "path", "request_path", "lie", "besides"),
    [
        pytest.param(name, path, request_path, lie, besides, id=f"{name} {path} {told}")
        for name, path, request_path, lies, besides in CASES
        for told, lie in lies.items()
    ],
)
def test_nonsense_of_a_model_costs_its_part_of_the_list_alone(
    client: httpx.Client,
    liars: dict[ServerName, Liar],
    name: ServerName,
    path: str,
    request_path: str,
    lie: Lie,
    besides: list[tuple[ServerName, str, Lie]],
) -> None:
    for liar, where, said in [*besides, (name, path, lie)]:
        liars[liar].lies[where] = said
    try:
        response = client.get(httpx.URL(request_path).copy_merge_params({"k": 4}))
    finally:
        for each in liars.values():
            each.lies.clear()

    assert response.status_code == 200, response.text
    books = [item["book_id"] for item in response.json()["items"]]
    assert response.json()["degraded"] == [name]
    assert len(set(books)) == len(books) == 4


def test_without_lies_nothing_is_degraded(client: httpx.Client) -> None:
    for _, _, request_path, *_ in CASES:
        response = client.get(request_path)

        assert (response.status_code, response.json()["degraded"]) == (200, [])
