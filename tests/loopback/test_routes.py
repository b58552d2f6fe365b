"""Every route of the API, and every way to ask it wrongly, against its own OpenAPI document."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import BaseModel

from contracts.errors import PROBLEM_MEDIA_TYPE, ErrorCode, Problem
from contracts.shell import REQUEST_ID_HEADER, VERSION_HEADER
from gateway.api import schemas
from tests.homes import N_BOOKS, N_READERS
from tests.meshes import Mesh

pytestmark = pytest.mark.loopback

RECOMMENDATIONS = "/v1/users/{user_id}/recommendations"
WHY = "/v1/users/{user_id}/recommendations/{book_id}/why"
RATINGS = "/v1/users/{user_id}/ratings"
RATING = "/v1/users/{user_id}/ratings/{book_id}"
ANYONE, POPULAR, SUBJECTS = "/v1/recommendations", "/v1/books/popular", "/v1/subjects"
BOOK, ISBN, SIMILAR = "/v1/books/{book_id}", "/v1/books/isbn/{isbn}", "/v1/books/{book_id}/similar"
SEARCH, SEMANTIC = "/v1/search", "/v1/search/semantic"
RATED = {"user_id": 60, "book_id": N_BOOKS}
NOBODY, NOTHING = N_READERS + 1, N_BOOKS + 1
MEGABYTE = b'{"subjects": ["' + b"x" * 1_000_000 + b'"]}'


@dataclass(frozen=True)
class Ask:
    """One request, by the path template that the OpenAPI document lists it under."""

    method: str
    template: str
    place: dict[str, Any] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    json: Any = None
    content: bytes | None = None

    def send(self, mesh: Mesh) -> Any:
        body = {"json": self.json} if self.json is not None else {"content": self.content}
        headers = {"content-type": "application/json"} if self.content is not None else {}
        return mesh.client.request(
            self.method, self.template.format(**self.place), params=self.params, headers=headers, **body
        )

    def __str__(self) -> str:
        asked = [
            self.method,
            self.template.format(**self.place),
            *(f"{name}={value}" for name, value in self.params.items()),
        ]
        return " ".join(asked)[:80]


ANSWERS: list[tuple[Ask, int, type[BaseModel] | None]] = [
    (Ask("GET", RECOMMENDATIONS, {"user_id": 1}), 200, schemas.BookList),
    (Ask("POST", ANYONE, json={"subjects": ["War"]}), 200, schemas.BookList),
    (Ask("GET", WHY, {"user_id": 1, "book_id": 36}), 200, schemas.Explanation),
    (Ask("GET", POPULAR, params={"subject": "War"}), 200, schemas.BookList),
    (Ask("GET", BOOK, {"book_id": 1}), 200, schemas.BookDetail),
    (Ask("GET", SIMILAR, {"book_id": 1}), 200, schemas.BookList),
    (Ask("GET", SEARCH, params={"q": "war"}), 200, schemas.BookList),
    (Ask("GET", SEMANTIC, params={"q": "war"}), 200, schemas.BookList),
    (Ask("GET", SUBJECTS), 200, schemas.SubjectList),
    (Ask("PUT", RATING, RATED, json={"rating": 7}), 201, schemas.StoredRating),
    (Ask("PUT", RATING, RATED, json={"rating": None}), 200, schemas.StoredRating),
    (Ask("GET", RATINGS, {"user_id": 60}), 200, schemas.RatingList),
    (Ask("DELETE", RATING, RATED), 204, None),
    (Ask("GET", "/v1/health"), 200, schemas.Health),
    (Ask("GET", "/v1/version"), 200, schemas.VersionInfo),
    (Ask("GET", "/health/live"), 200, schemas.Live),
    (Ask("GET", "/health/ready"), 200, schemas.ReadyAnswer),
    (Ask("GET", "/metrics"), 200, None),
]  # fmt: skip
"""In this order: a rating is given, changed, listed and taken back. The ISBN's comes from the catalog."""

BAD_K: list[Any] = [0, -1, 501, 10_000, "ten", 1.5, ""]
BAD_WEIGHTS: list[Any] = [-0.01, 1.01, "heavy", "nan", "inf"]
LISTS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (RECOMMENDATIONS, {"user_id": 1}, {}),
    (POPULAR, {}, {}),
    (SIMILAR, {"book_id": 1}, {}),
    (SEARCH, {}, {"q": "war"}),
    (SEMANTIC, {}, {"q": "war"}),
]
INVALID = [
    *(Ask("GET", path, place, {**params, "k": k}) for path, place, params in LISTS for k in BAD_K),
    *(Ask("GET", RECOMMENDATIONS, {"user_id": 1}, {"popularity_weight": weight}) for weight in BAD_WEIGHTS),
    *(Ask("GET", SIMILAR, {"book_id": 1}, {"weight": weight}) for weight in BAD_WEIGHTS),
    Ask("GET", RECOMMENDATIONS, {"user_id": 1}, {"mode": "psychic"}),
    Ask("GET", RECOMMENDATIONS, {"user_id": "me"}),
    Ask("GET", RECOMMENDATIONS, {"user_id": -1}),
    Ask("GET", RECOMMENDATIONS, {"user_id": 2**63}),
    Ask("GET", SIMILAR, {"book_id": 1}, {"mode": "psychic"}),
    Ask("GET", SIMILAR, {"book_id": "emma"}),
    Ask("GET", BOOK, {"book_id": "emma"}),
    Ask("GET", BOOK, {"book_id": 10**30}),
    Ask("GET", ISBN, {"isbn": "9" * 41}),
    Ask("GET", POPULAR, params={"subject": ""}),
    Ask("GET", POPULAR, params={"user_id": "me"}),
    Ask("GET", SEARCH),
    Ask("GET", SEARCH, params={"q": ""}),
    Ask("GET", SEARCH, params={"q": "x" * 501}),
    Ask("GET", SEMANTIC, params={"q": ""}),
    Ask("GET", SUBJECTS, params={"limit": 0}),
    Ask("GET", SUBJECTS, params={"offset": -1}),
    Ask("GET", RATINGS, {"user_id": 1}, {"limit": 0}),
    *(Ask("PUT", RATING, RATED, json={"rating": rating}) for rating in (0, 0.9, 10.1, 11, "good", [7])),
    Ask("PUT", RATING, RATED, json={}),
    Ask("PUT", RATING, RATED, json={"rating": 7, "mood": "fair"}),
    Ask("PUT", RATING, RATED),
    Ask("DELETE", RATING, {"user_id": 1, "book_id": "emma"}),
    *(
        Ask("POST", ANYONE, content=text)
        for text in (b"", b"{", b"null", b"[]", b'"War"', b"\xff\xfe", b"{]}")
    ),
    *(Ask("POST", ANYONE, json={"k": k}) for k in (0, 10_000, "ten", None)),
    *(Ask("POST", ANYONE, json={"popularity_weight": weight}) for weight in (-0.1, 1.1, "heavy")),
    Ask("POST", ANYONE, json={"likes": []}),
    Ask("POST", ANYONE, json={"liked": [36]}),
    Ask("POST", ANYONE, json={"liked": [{"book_id": 36, "rating": 11}]}),
    Ask("POST", ANYONE, json={"liked": [{"rating": 9}]}),
    Ask("POST", ANYONE, json={"liked": {"book_id": 36}}),
    Ask("POST", ANYONE, json={"subjects": "War"}),
    Ask("POST", ANYONE, json={"subjects": [""]}),
    Ask("POST", ANYONE, json={"subjects": ["War"] * 21}),
    Ask("POST", ANYONE, content=b'{"popularity_weight": NaN}'),
]
REFUSED: list[tuple[Ask, int, ErrorCode]] = [
    *((ask, 422, ErrorCode.INVALID_REQUEST) for ask in INVALID),
    *(
        (ask, 404, ErrorCode.USER_NOT_FOUND)
        for ask in (
            Ask("GET", RECOMMENDATIONS, {"user_id": NOBODY}),
            Ask("GET", WHY, {"user_id": NOBODY, "book_id": 1}),
            Ask("GET", RATINGS, {"user_id": NOBODY}),
            Ask("PUT", RATING, {"user_id": NOBODY, "book_id": 1}, json={"rating": 7}),
            Ask("DELETE", RATING, {"user_id": NOBODY, "book_id": 1}),
            *(Ask("GET", path, place, {**params, "user_id": NOBODY}) for path, place, params in LISTS[1:]),
        )
    ),
    *(
        (ask, 404, ErrorCode.BOOK_NOT_FOUND)
        for ask in (
            Ask("GET", BOOK, {"book_id": NOTHING}),
            Ask("GET", BOOK, {"book_id": 0}),
            Ask("GET", BOOK, {"book_id": 2**63 - 1}),
            Ask("GET", SIMILAR, {"book_id": NOTHING}),
            Ask("GET", WHY, {"user_id": 1, "book_id": NOTHING}),
            Ask("PUT", RATING, {"user_id": 1, "book_id": NOTHING}, json={"rating": 7}),
            Ask("GET", ISBN, {"isbn": "9780306406157"}),
            Ask("GET", ISBN, {"isbn": "0-306-40615-2"}),
        )
    ),
    *(
        (Ask("GET", ISBN, {"isbn": isbn}), 422, ErrorCode.ISBN_INVALID)
        for isbn in ("9780306406158", "0306406153", "12345", "not-an-isbn", "978030640615X")
    ),
    (Ask("DELETE", RATING, RATED), 404, ErrorCode.RATING_NOT_FOUND),
    (Ask("POST", ANYONE, json={"liked": [{"book_id": NOTHING}]}), 422, ErrorCode.UNKNOWN_BOOKS),
    (Ask("POST", ANYONE, json={"subjects": ["Scyence fiction"]}), 422, ErrorCode.UNKNOWN_SUBJECTS),
    (Ask("GET", POPULAR, params={"subject": "Scyence fiction"}), 422, ErrorCode.UNKNOWN_SUBJECTS),
    (Ask("POST", ANYONE, content=MEGABYTE), 413, ErrorCode.BODY_TOO_LARGE),
    (Ask("PUT", RATING, RATED, content=MEGABYTE), 413, ErrorCode.BODY_TOO_LARGE),
]
OFF_THE_MAP = [
    (Ask("GET", "/v1/nothing"), 404, ErrorCode.NOT_FOUND),
    (Ask("GET", "/"), 404, ErrorCode.NOT_FOUND),
    (Ask("POST", POPULAR), 405, ErrorCode.METHOD_NOT_ALLOWED),
    (Ask("DELETE", ANYONE), 405, ErrorCode.METHOD_NOT_ALLOWED),
]


@pytest.fixture(scope="module")
def openapi(mesh: Mesh) -> dict[str, Any]:
    document: dict[str, Any] = mesh.get("/openapi.json")
    return document


@pytest.fixture(scope="module")
def isbn(mesh: Mesh) -> Ask:
    return Ask("GET", ISBN, {"isbn": mesh.get("/v1/books/1")["isbns"][0]})


def test_every_route_answers_in_the_form_that_the_document_promises(
    mesh: Mesh, openapi: dict[str, Any], isbn: Ask
) -> None:
    walked = [*ANSWERS, (isbn, 200, schemas.BookDetail)]

    for ask, status, schema in walked:
        response = ask.send(mesh)
        documented = openapi["paths"][ask.template][ask.method.lower()]["responses"]
        assert response.status_code == status, f"{ask}: {response.text}"
        assert str(status) in documented
        assert response.headers[VERSION_HEADER] == mesh.home.store.current()
        assert response.headers[REQUEST_ID_HEADER]
        if schema is not None:
            assert schema.model_validate_json(response.content).model_dump().keys() == response.json().keys()

    assert {(ask.template, ask.method.lower()) for ask, *_ in walked} == {
        (path, method) for path, methods in openapi["paths"].items() for method in methods
    }


@pytest.mark.parametrize(("ask", "status", "code"), [*REFUSED, *OFF_THE_MAP], ids=str)
def test_a_wrong_question_gets_one_error_body(mesh: Mesh, ask: Ask, status: int, code: ErrorCode) -> None:
    response = ask.send(mesh)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["content-type"] == PROBLEM_MEDIA_TYPE
    problem = Problem.model_validate_json(response.content)
    assert (problem.status, problem.type) == (status, f"urn:bookmesh:error:{code}")
    assert problem.detail
    assert problem.request_id == response.headers[REQUEST_ID_HEADER]


def test_every_error_of_a_route_is_in_the_document(openapi: dict[str, Any]) -> None:
    undocumented = [
        f"{ask} {status}"
        for ask, status, _ in REFUSED
        if PROBLEM_MEDIA_TYPE
        not in openapi["paths"][ask.template][ask.method.lower()]["responses"]
        .get(str(status), {})
        .get("content", {})
    ]

    assert undocumented == []


def test_the_document_explains_every_route_parameter_and_field(openapi: dict[str, Any]) -> None:
    unexplained = []
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            if not (operation.get("summary") and operation.get("description")):
                unexplained.append(f"{method} {path}")
            unexplained += [
                f"{method} {path} {parameter['name']}"
                for parameter in operation.get("parameters", [])
                if not parameter.get("description")
            ]

    assert unexplained == []
    assert openapi["components"]["schemas"]["Problem"]["properties"]["code"]


def test_an_unknown_subject_comes_with_the_nearest_known_ones(mesh: Mesh) -> None:
    asked = {"subjects": ["Scyence fiction", "War"]}

    problem = mesh.client.post(ANYONE, json=asked).json()

    assert problem["unknown"] == ["Scyence fiction"]
    assert problem["suggestions"]["Scyence fiction"][0] == "Science fiction"


def test_a_megabyte_without_a_length_is_refused_too(mesh: Mesh) -> None:
    response = mesh.client.post(ANYONE, content=(b"x" * 10_000 for _ in range(100)))

    assert response.status_code == 413
    assert response.json()["code"] == ErrorCode.BODY_TOO_LARGE


def test_a_refused_megabyte_leaves_the_rating_as_it_was(mesh: Mesh) -> None:
    path = RATING.format(user_id=61, book_id=mesh.get("/v1/users/61/recommendations")["items"][0]["book_id"])

    mesh.client.put(path, content=MEGABYTE, headers={"content-type": "application/json"})

    assert mesh.client.delete(path).json()["code"] == ErrorCode.RATING_NOT_FOUND


def test_the_id_that_a_caller_gives_comes_back_on_success_and_failure(mesh: Mesh) -> None:
    for path, status in (("/v1/books/1", 200), (f"/v1/books/{NOTHING}", 404)):
        response = mesh.client.get(path, headers={REQUEST_ID_HEADER: "trace-me-42"})
        assert (response.status_code, response.headers[REQUEST_ID_HEADER]) == (status, "trace-me-42")


def test_a_page_for_client_developers_is_served(mesh: Mesh) -> None:
    page = mesh.client.get("/docs")

    assert page.status_code == 200
    assert "/openapi.json" in page.text
