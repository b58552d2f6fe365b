"""Routes that are called by a plan answer as FastAPI's own do."""

from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Query, Request, Response
from fastapi.routing import APIRoute

from gateway.api.lean import LeanRoute, plan_routes
from gateway.schemas import Whole

calls: list[str] = []


async def _find_caller(request: Request) -> str:
    calls.append("caller")
    return request.headers.get("authorization", "anyone")


Caller = Annotated[str, Depends(_find_caller)]


class _NeedsOwner:
    async def __call__(self, caller: Caller, user_id: Annotated[int, Whole]) -> int:
        if caller == "anyone":
            raise HTTPException(401, "who are you?")
        return user_id


Owner = Annotated[int, Depends(_NeedsOwner())]


def _build(route_class: type[APIRoute]) -> FastAPI:
    router = APIRouter(prefix="/v1", route_class=route_class)

    @router.get("/users/{user_id}")
    async def show(
        caller: Caller,
        owner: Owner,
        word: Annotated[str, Query(max_length=5)],
        k: Annotated[int, Query(ge=1), Whole] = 10,
        weight: float | None = None,
        flag: bool = True,
    ) -> Response:
        return Response(f"{caller} {owner} {word} {k} {weight} {flag}")

    @router.get("/plain")
    async def give(k: int = 1) -> dict[str, int]:
        return {"k": k}

    @router.get("/header")
    async def tell(x_word: Annotated[str, Header()] = "none") -> Response:
        return Response(x_word)

    @router.get("/words")
    async def join(word: Annotated[list[str], Query()]) -> Response:
        return Response(" ".join(word))

    app = FastAPI()
    app.include_router(router)
    plan_routes(app)
    return app


async def _get(route_class: type[APIRoute], path: str, headers: dict[str, str]) -> httpx.Response:
    transport = httpx.ASGITransport(_build(route_class))
    async with httpx.AsyncClient(transport=transport, base_url="http://tests") as client:
        return await client.get(path, headers=headers)


@pytest.mark.parametrize("headers", [{}, {"authorization": "me"}])
@pytest.mark.parametrize(
    "path",
    [
        "/v1/users/7?word=one",
        "/v1/users/7?word=one&k=3&weight=0.5&flag=false",
        "/v1/users/7?word=%C3%A4%20%2B+b&weight=",
        "/v1/users/7?word=",
        "/v1/users/7",
        "/v1/users/seven?word=one",
        "/v1/users/07?word=one",
        "/v1/users/7?word=longer&k=0",
        "/v1/users/7?word=one&k=1&k=2",
        "/v1/users/7?word=one&other=1",
        "/v1/plain?k=4",
        "/v1/plain?k=x",
        "/v1/header",
        "/v1/words?word=a&word=b",
        "/v1/words?word=a",
    ],
)
async def test_a_lean_route_answers_as_any_other(path: str, headers: dict[str, str]) -> None:
    lean = await _get(LeanRoute, path, headers)
    plain = await _get(APIRoute, path, headers)

    assert (lean.status_code, lean.content) == (plain.status_code, plain.content)


async def test_what_two_functions_need_is_asked_once() -> None:
    calls.clear()

    await _get(LeanRoute, "/v1/users/7?word=one", {"authorization": "me"})

    assert calls == ["caller"]


def test_both_are_described_alike() -> None:
    descriptions: list[Any] = [_build(route_class).openapi() for route_class in (LeanRoute, APIRoute)]

    assert descriptions[0] == descriptions[1]
