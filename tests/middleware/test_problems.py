"""The one renderer: what an error says, and what it keeps to the log."""

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from structlog.testing import capture_logs

from contracts.errors import PROBLEM_MEDIA_TYPE, ClientCode, CodedError, MeshCode, Problem
from middleware.problems import answer_problem, list_mistakes


class Stale(CodedError):
    code = MeshCode.VERSION_NOT_HELD

    def __init__(self) -> None:
        super().__init__("not here")
        self.held = ("v2", "v1")


class Misspelt(CodedError):
    code = ClientCode.UNKNOWN_SUBJECTS

    def __init__(self) -> None:
        super().__init__("no such subject")
        self.unknown = ["Spcae"]
        self.suggestions = {"Spcae": ["Space"]}


class Strange(CodedError):
    code = ClientCode.UNKNOWN_BOOKS

    def __init__(self) -> None:
        super().__init__("no such book")
        self.unknown = [5]


class Busy(CodedError):
    code = ClientCode.OVERLOADED


class Uncaught(CodedError):
    """Without a code of its own: somebody should have caught it."""


async def answer(error: Exception) -> tuple[Response, Problem]:
    request = Request({"type": "http", "path": "/path", "headers": [], "state": {"request_id": "r1"}})
    response = await answer_problem(request, error)
    assert response.headers["content-type"] == PROBLEM_MEDIA_TYPE
    return response, Problem.model_validate_json(response.body)


async def test_type_title_and_status_follow_from_the_code() -> None:
    response, problem = await answer(Stale())

    assert response.status_code == problem.status == 409
    assert (problem.type, problem.title) == ("urn:bookmesh:error:version_not_held", "Version not held")
    assert (problem.detail, problem.request_id) == ("not here", "r1")


async def test_the_facts_of_an_error_go_into_its_body_and_nothing_else() -> None:
    stale = (await answer(Stale()))[1]
    misspelt = (await answer(Misspelt()))[1]

    assert (stale.held, "unknown" in stale.model_fields_set) == (["v2", "v1"], False)
    assert (misspelt.unknown, misspelt.suggestions) == (["Spcae"], {"Spcae": ["Space"]})


async def test_ids_of_unknown_books_become_text() -> None:
    assert (await answer(Strange()))[1].unknown == ["5"]


async def test_a_503_says_when_to_come_back_and_other_answers_do_not() -> None:
    assert (await answer(Busy()))[0].headers["retry-after"] == "1"
    assert "retry-after" not in (await answer(Stale()))[0].headers


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (404, ClientCode.NOT_FOUND),
        (405, ClientCode.METHOD_NOT_ALLOWED),
        (413, ClientCode.BODY_TOO_LARGE),
        (400, ClientCode.INVALID_REQUEST),
    ],
)
async def test_what_the_framework_refuses_has_a_code_too(status: int, code: ClientCode) -> None:
    response, problem = await answer(HTTPException(status, "why", {"Allow": "GET"}))

    assert (problem.code, problem.detail) == (code, "why")
    assert response.headers["allow"] == "GET"


def test_mistakes_are_named_by_their_place_or_as_the_body_s() -> None:
    mistakes = [
        {"type": "missing", "loc": ("history", 0, "book_id"), "msg": "Field required", "input": {}},
        {"type": "json_invalid", "loc": (), "msg": "Invalid JSON", "input": ""},
    ]

    text = list_mistakes(mistakes)  # type: ignore[arg-type]

    assert text == "history.0.book_id: Field required; body: Invalid JSON"


@pytest.mark.parametrize("error", [ZeroDivisionError("a secret"), Uncaught("a secret")])
async def test_what_nobody_foresaw_keeps_its_details_to_the_log(error: Exception) -> None:
    with capture_logs() as logs:
        response, problem = await answer(error)

    assert (response.status_code, problem.code) == (500, ClientCode.INTERNAL)
    assert b"secret" not in bytes(response.body)
    assert [(line["path"], line["error"]) for line in logs] == [("/path", repr(error))]
