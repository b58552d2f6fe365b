"""Every route of the API, and every way to call it wrongly, against its own OpenAPI document."""

import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import BaseModel

from contracts.errors import PROBLEM_MEDIA_TYPE, ClientCode, Problem
from contracts.shell import REQUEST_ID_HEADER, VERSION_HEADER
from gateway import schemas
from gateway.accounts.schemas import CreatedUser
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
DISMISSALS, DISMISSAL = "/v1/users/{user_id}/dismissals", "/v1/users/{user_id}/dismissals/{book_id}"
SHELF, SHELVED = "/v1/users/{user_id}/shelf", "/v1/users/{user_id}/shelf/{book_id}"
RATED = {"user_id": 60, "book_id": N_BOOKS}
NOBODY, NOTHING = N_READERS + 1, N_BOOKS + 1
MEGABYTE = b'{"subjects": ["' + b"x" * 1_000_000 + b'"]}'


@dataclass(frozen=True)
class Call:
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
        parts = [
            self.method,
            self.template.format(**self.place),
            *(f"{name}={value}" for name, value in self.params.items()),
        ]
        return " ".join(parts)[:80]


OF_READERS = ("/v1/auth/", "/v1/me", "/v1/events", "/v1/admin")
"""What is for those who have logged in: tests/gateway/accounts and tests/gateway/api walk through it."""
ANSWERS: list[tuple[Call, int, type[BaseModel] | None]] = [
    (Call("GET", RECOMMENDATIONS, {"user_id": 1}), 200, schemas.BookList),
    (Call("POST", ANYONE, json={"subjects": ["War"]}), 200, schemas.BookList),
    (Call("POST", "/v1/users", json={"loved_books": [36]}), 201, CreatedUser),
    (Call("GET", WHY, {"user_id": 1, "book_id": 36}), 200, schemas.Explanation),
    (Call("GET", "/v1/books", params={"subject": "War"}), 200, schemas.BookPage),
    (Call("GET", POPULAR, params={"subject": "War"}), 200, schemas.BookList),
    (Call("GET", BOOK, {"book_id": 1}), 200, schemas.BookDetail),
    (Call("GET", SIMILAR, {"book_id": 1}), 200, schemas.BookList),
    (Call("GET", SEARCH, params={"q": "war"}), 200, schemas.BookList),
    (Call("GET", SEMANTIC, params={"q": "war"}), 200, schemas.BookList),
    (Call("GET", SUBJECTS), 200, schemas.SubjectList),
    (Call("GET", "/v1/books/{book_id}/authors", {"book_id": 1}), 200, schemas.AuthorsOfBook),
    (Call("GET", "/v1/authors", params={"prefix": "a"}), 200, schemas.AuthorList),
    (Call("GET", "/v1/authors/{author_id}", {"author_id": 1}), 200, schemas.AuthorDetail),
    (Call("PUT", RATING, RATED, json={"rating": 7}), 201, schemas.StoredRating),
    (Call("PUT", RATING, RATED, json={"rating": None}), 200, schemas.StoredRating),
    (Call("GET", RATINGS, {"user_id": 60}), 200, schemas.RatingList),
    (Call("DELETE", RATING, RATED), 204, None),
    (Call("PUT", DISMISSAL, RATED), 204, None),
    (Call("GET", DISMISSALS, {"user_id": 60}), 200, schemas.MarkedList),
    (Call("DELETE", DISMISSAL, RATED), 204, None),
    (Call("PUT", SHELVED, RATED), 204, None),
    (Call("GET", SHELF, {"user_id": 60}), 200, schemas.MarkedList),
    (Call("DELETE", SHELVED, RATED), 204, None),
    (Call("GET", "/v1/model"), 200, schemas.ModelInfo),
    (Call("GET", "/v1/health"), 200, schemas.Health),
    (Call("GET", "/v1/version"), 200, schemas.VersionInfo),
    (Call("GET", "/health/live"), 200, schemas.Live),
    (Call("GET", "/health/ready"), 200, schemas.ReadyAnswer),
    (Call("GET", "/metrics"), 200, None),
]  # fmt: skip
"""In this order: a rating is given, changed, listed and taken back. The ISBN's comes from the catalog."""

BAD_K: list[Any] = [0, -1, 501, 10_000, "ten", 1.5, ""]
BAD_WEIGHTS: list[Any] = [-0.01, 1.01, "heavy", "nan", "inf"]
ODD_NUMBERS = ("1_0", "+1", "1.0", " 1", "1 ", "٣", "01", "1e0", "0x1", "-0", "one")
LISTS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (RECOMMENDATIONS, {"user_id": 1}, {}),
    (POPULAR, {}, {}),
    (SIMILAR, {"book_id": 1}, {}),
    (SEARCH, {}, {"q": "war"}),
    (SEMANTIC, {}, {"q": "war"}),
]
INVALID = [
    *(Call("GET", path, place, {**params, "k": k}) for path, place, params in LISTS for k in BAD_K),
    *(Call("GET", RECOMMENDATIONS, {"user_id": 1}, {"popularity_weight": weight}) for weight in BAD_WEIGHTS),
    *(Call("GET", SIMILAR, {"book_id": 1}, {"weight": weight}) for weight in BAD_WEIGHTS),
    Call("GET", RECOMMENDATIONS, {"user_id": 1}, {"mode": "psychic"}),
    Call("GET", RECOMMENDATIONS, {"user_id": "me"}),
    Call("GET", RECOMMENDATIONS, {"user_id": -1}),
    Call("GET", RECOMMENDATIONS, {"user_id": 2**63}),
    Call("GET", SIMILAR, {"book_id": 1}, {"mode": "psychic"}),
    Call("GET", SIMILAR, {"book_id": "emma"}),
    Call("GET", BOOK, {"book_id": "emma"}),
    Call("GET", BOOK, {"book_id": 10**30}),
    *(Call("GET", BOOK, {"book_id": text}) for text in ODD_NUMBERS),
    *(Call("GET", RECOMMENDATIONS, {"user_id": text}) for text in ODD_NUMBERS),
    *(Call("GET", POPULAR, params={"k": text}) for text in ODD_NUMBERS),
    *(Call("GET", SIMILAR, {"book_id": 1}, {"weight": text}) for text in (".5", "0_5", "+.5", " 0.5", "٠.٥")),
    *(Call("GET", path, place, {**params, "colour": "red"}) for path, place, params in LISTS),
    Call("GET", BOOK, {"book_id": 1}, {"k": 1}),
    Call("GET", "/v1/health", params={"verbose": 1}),
    Call("GET", POPULAR, params={"k": [1, 1]}),
    Call("GET", ISBN, {"isbn": "9" * 41}),
    Call("GET", POPULAR, params={"subject": ""}),
    Call("GET", POPULAR, params={"user_id": "me"}),
    Call("GET", SEARCH),
    Call("GET", SEARCH, params={"q": ""}),
    Call("GET", SEARCH, params={"q": "x" * 501}),
    Call("GET", SEMANTIC, params={"q": ""}),
    Call("GET", SUBJECTS, params={"limit": 0}),
    Call("GET", SUBJECTS, params={"offset": -1}),
    Call("GET", RATINGS, {"user_id": 1}, {"limit": 0}),
    *(Call("PUT", RATING, RATED, json={"rating": rating}) for rating in (0, 0.9, 10.1, 11, "good", [7])),
    Call("PUT", RATING, RATED, json={}),
    Call("PUT", RATING, RATED, json={"rating": 7, "mood": "fair"}),
    Call("PUT", RATING, RATED),
    Call("DELETE", RATING, {"user_id": 1, "book_id": "emma"}),
    *(
        Call("POST", ANYONE, content=text)
        for text in (b"", b"{", b"null", b"[]", b'"War"', b"\xff\xfe", b"{]}")
    ),
    *(Call("POST", ANYONE, json={"k": k}) for k in (0, 10_000, "ten", None)),
    *(Call("POST", ANYONE, json={"popularity_weight": weight}) for weight in (-0.1, 1.1, "heavy")),
    Call("POST", ANYONE, json={"likes": []}),
    Call("POST", ANYONE, json={"liked": [36]}),
    Call("POST", ANYONE, json={"liked": [{"book_id": 36, "rating": 11}]}),
    Call("POST", ANYONE, json={"liked": [{"rating": 9}]}),
    Call("POST", ANYONE, json={"liked": {"book_id": 36}}),
    Call("POST", ANYONE, json={"subjects": "War"}),
    Call("POST", ANYONE, json={"subjects": [""]}),
    Call("POST", ANYONE, json={"subjects": ["War"] * 21}),
    Call("POST", ANYONE, content=b'{"popularity_weight": NaN}'),
]
REFUSED: list[tuple[Call, int, ClientCode]] = [
    *((call, 422, ClientCode.INVALID_REQUEST) for call in INVALID),
    *(
        (call, 404, ClientCode.USER_NOT_FOUND)
        for call in (
            Call("GET", RECOMMENDATIONS, {"user_id": NOBODY}),
            Call("GET", WHY, {"user_id": NOBODY, "book_id": 1}),
            Call("GET", RATINGS, {"user_id": NOBODY}),
            Call("PUT", RATING, {"user_id": NOBODY, "book_id": 1}, json={"rating": 7}),
            Call("DELETE", RATING, {"user_id": NOBODY, "book_id": 1}),
            *(Call("GET", path, place, {**params, "user_id": NOBODY}) for path, place, params in LISTS[1:]),
        )
    ),
    *(
        (call, 404, ClientCode.BOOK_NOT_FOUND)
        for call in (
            Call("GET", BOOK, {"book_id": NOTHING}),
            Call("GET", BOOK, {"book_id": 0}),
            Call("GET", BOOK, {"book_id": 2**63 - 1}),
            Call("GET", SIMILAR, {"book_id": NOTHING}),
            Call("GET", WHY, {"user_id": 1, "book_id": NOTHING}),
            Call("PUT", RATING, {"user_id": 1, "book_id": NOTHING}, json={"rating": 7}),
            Call("GET", ISBN, {"isbn": "9780306406157"}),
            Call("GET", ISBN, {"isbn": "0-306-40615-2"}),
        )
    ),
    *(
        (Call("GET", ISBN, {"isbn": isbn}), 422, ClientCode.ISBN_INVALID)
        for isbn in ("9780306406158", "0306406153", "12345", "not-an-isbn", "978030640615X")
    ),
    (Call("DELETE", RATING, RATED), 404, ClientCode.RATING_NOT_FOUND),
    (Call("POST", ANYONE, json={"liked": [{"book_id": NOTHING}]}), 422, ClientCode.UNKNOWN_BOOKS),
    (Call("POST", ANYONE, json={"subjects": ["Scyence fiction"]}), 422, ClientCode.UNKNOWN_SUBJECTS),
    (Call("GET", POPULAR, params={"subject": "Scyence fiction"}), 422, ClientCode.UNKNOWN_SUBJECTS),
    (Call("POST", ANYONE, content=MEGABYTE), 413, ClientCode.BODY_TOO_LARGE),
    (Call("PUT", RATING, RATED, content=MEGABYTE), 413, ClientCode.BODY_TOO_LARGE),
]
WRONG_TYPES = ("text/plain", "application/x-www-form-urlencoded", "application/json-seq", "json")
OFF_THE_MAP = [
    (Call("GET", "/v1/nothing"), 404, ClientCode.NOT_FOUND),
    (Call("GET", "/"), 404, ClientCode.NOT_FOUND),
    (Call("POST", POPULAR), 405, ClientCode.METHOD_NOT_ALLOWED),
    (Call("DELETE", ANYONE), 405, ClientCode.METHOD_NOT_ALLOWED),
]


@pytest.fixture(scope="module")
def openapi(mesh: Mesh) -> dict[str, Any]:
    document: dict[str, Any] = mesh.get("/openapi.json")
    return document


def test_no_method_of_a_path_reaches_the_route_of_another(openapi: dict[str, Any]) -> None:
    """A path without ids hides those that it looks like: whoever PUTs there would be told of a wrong id."""
    taken = {path: set(operations) for path, operations in openapi["paths"].items()}
    reached = {
        f"{method} {path}": template
        for path in taken
        for template in taken
        if "{" not in path and re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path)
        for method in taken[template] - taken[path]
    }
    assert reached == {}


@pytest.fixture(scope="module")
def isbn(mesh: Mesh) -> Call:
    return Call("GET", ISBN, {"isbn": mesh.get("/v1/books/1")["isbns"][0]})


def test_every_route_answers_in_the_form_that_the_document_promises(
    mesh: Mesh, openapi: dict[str, Any], isbn: Call
) -> None:
    walked = [*ANSWERS, (isbn, 200, schemas.BookDetail)]

    for call, status, schema in walked:
        response = call.send(mesh)
        documented = openapi["paths"][call.template][call.method.lower()]["responses"]
        assert response.status_code == status, f"{call}: {response.text}"
        assert str(status) in documented
        assert response.headers[VERSION_HEADER] == mesh.home.store.current()
        assert response.headers[REQUEST_ID_HEADER]
        if schema is not None:
            assert schema.model_validate_json(response.content).model_dump().keys() == response.json().keys()

    assert {(call.template, call.method.lower()) for call, *_ in walked} == {
        (path, method)
        for path, methods in openapi["paths"].items()
        for method in methods
        if not path.startswith(OF_READERS)
    }


@pytest.mark.parametrize(("call", "status", "code"), [*REFUSED, *OFF_THE_MAP], ids=str)
def test_a_wrong_request_gets_one_error_body(mesh: Mesh, call: Call, status: int, code: ClientCode) -> None:
    response = call.send(mesh)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["content-type"] == PROBLEM_MEDIA_TYPE
    problem = Problem.model_validate_json(response.content)
    assert (problem.status, problem.type) == (status, f"urn:bookmesh:error:{code}")
    assert problem.detail
    assert problem.request_id == response.headers[REQUEST_ID_HEADER]


def test_a_405_names_every_method_of_the_path(mesh: Mesh, openapi: dict[str, Any]) -> None:
    places = {
        "user_id": 1,
        "book_id": 1,
        "isbn": 1,
        "row_id": 1,
        "author_id": 1,
        "version": 1,
        "job_id": 1,
        "name": 1,
        "report_id": 1,
    }
    for template in openapi["paths"]:
        operations = find_operations(openapi, template.format(**places))
        methods = {method.upper() for method in operations} | ({"HEAD"} if "get" in operations else set())
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - methods:
            response = mesh.client.request(method, template.format(**places))
            assert response.status_code == 405, f"{method} {template}"
            assert set(response.headers["allow"].split(", ")) == methods


def find_operations(openapi: dict[str, Any], path: str) -> set[str]:
    """The methods of all templates that fit a path: `statistics` is no book, but stands where one may."""
    fits = [
        template for template in openapi["paths"] if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path)
    ]
    return {method for template in fits for method in openapi["paths"][template]}


@pytest.mark.parametrize("call", [Call("POST", ANYONE), Call("PUT", RATING, RATED)], ids=str)
@pytest.mark.parametrize("media_type", [*WRONG_TYPES, None])
def test_a_415_names_the_type_that_came_and_the_one_that_is_wanted(
    mesh: Mesh, call: Call, media_type: str | None
) -> None:
    headers = {"content-type": media_type} if media_type else {}

    response = mesh.client.request(
        call.method, call.template.format(**call.place), content=b"{}", headers=headers
    )

    assert (response.status_code, response.json()["code"]) == (415, ClientCode.UNSUPPORTED_MEDIA_TYPE)
    assert (media_type or "no named type") in response.json()["detail"]
    assert "application/json" in response.json()["detail"]


def test_a_refused_query_names_what_is_unknown_or_repeated_and_what_is_known(mesh: Mesh) -> None:
    unknown = mesh.client.get(f"{SEARCH}?q=war&limit=3&colour=red").json()["detail"]
    repeated = mesh.client.get(f"{SEARCH}?q=war&q=peace").json()["detail"]

    assert unknown.startswith("no parameter limit, colour of this path; it takes q, k, user_id, subject, ")
    assert repeated == "q: given more than once; give one value"


def test_every_error_of_a_route_is_in_the_document(openapi: dict[str, Any]) -> None:
    undocumented = [
        f"{call} {status}"
        for call, status, _ in REFUSED
        if PROBLEM_MEDIA_TYPE
        not in openapi["paths"][call.template][call.method.lower()]["responses"]
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


def test_every_parameter_and_field_has_an_example_or_tells_its_values(openapi: dict[str, Any]) -> None:
    schemas_by_name = openapi["components"]["schemas"]
    telling = {"examples", "default", "enum", "const", "$ref"}
    parameters = [
        (f"{method} {path}", parameter["name"], parameter["schema"])
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
        for parameter in operation.get("parameters", [])
    ]
    fields = [
        (name, field, schema)
        for name, whole in schemas_by_name.items()
        for field, schema in whole.get("properties", {}).items()
        if "examples" not in whole
    ]

    bare = [
        (name, field)
        for name, field, schema in [*parameters, *fields]
        if not telling & set().union(*find_parts(schema)) and schema.get("type") != "boolean"
    ]
    assert bare == []


def find_parts(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """A schema, and those of which it is made."""
    return [schema, schema.get("items", {}), schema.get("additionalProperties", {}), *schema.get("anyOf", [])]


def test_every_operation_has_a_short_name_of_its_own_and_a_tag_that_is_explained(
    openapi: dict[str, Any],
) -> None:
    operations = [each for methods in openapi["paths"].values() for each in methods.values()]
    names = [operation["operationId"] for operation in operations]

    assert sorted(names) == sorted(set(names))
    assert [name for name in names if not re.fullmatch("[a-z]+(_[a-z]+)*", name)] == []
    assert {"list_books", "me_recommend", "recommend_to_reader", "sign_up"} <= set(names)
    assert {tag for operation in operations for tag in operation["tags"]} <= {
        tag["name"] for tag in openapi["tags"] if tag["description"]
    }


def test_an_unknown_subject_comes_with_the_nearest_known_ones(mesh: Mesh) -> None:
    body = {"subjects": ["Scyence fiction", "War"]}

    problem = mesh.client.post(ANYONE, json=body).json()

    assert problem["unknown"] == ["Scyence fiction"]
    assert problem["suggestions"]["Scyence fiction"][0] == "Science fiction"


def test_a_megabyte_without_a_length_is_refused_too(mesh: Mesh) -> None:
    response = mesh.client.post(ANYONE, content=(b"x" * 10_000 for _ in range(100)))

    assert response.status_code == 413
    assert response.json()["code"] == ClientCode.BODY_TOO_LARGE


def test_a_refused_megabyte_leaves_the_rating_as_it_was(mesh: Mesh) -> None:
    path = RATING.format(user_id=61, book_id=mesh.get("/v1/users/61/recommendations")["items"][0]["book_id"])

    mesh.client.put(path, content=MEGABYTE, headers={"content-type": "application/json"})

    assert mesh.client.delete(path).json()["code"] == ClientCode.RATING_NOT_FOUND


def test_the_id_that_a_caller_gives_comes_back_on_success_and_failure(mesh: Mesh) -> None:
    for path, status in (("/v1/books/1", 200), (f"/v1/books/{NOTHING}", 404)):
        response = mesh.client.get(path, headers={REQUEST_ID_HEADER: "trace-me-42"})
        assert (response.status_code, response.headers[REQUEST_ID_HEADER]) == (status, "trace-me-42")


def test_a_page_for_client_developers_is_served(mesh: Mesh) -> None:
    page = mesh.client.get("/docs", params={"theme": "dark"})

    assert page.status_code == 200, page.text
    assert "/openapi.json" in page.text
