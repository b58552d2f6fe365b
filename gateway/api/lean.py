"""Routes that FastAPI describes, called without what it finds out anew for each request.

That is which route a path is of, which functions it needs, in what order, and how each parameter is read: for
a list out of the cache that took longer than all else.
"""

import inspect
import re
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request, Response, params
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.types import ASGIApp, Receive, Scope, Send

Parse = Callable[[str], tuple[object, object]]
"""Gives the value, and what is wrong with it."""


class LeanRoute(APIRoute):
    """A route that `plan_routes` lets be called at once, if it is a GET whose endpoint gives a Response."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, and `complete`."""
        answer = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return self.complete(request, await answer(request))

        return handle

    def complete(self, request: Request, response: Response) -> Response:
        """What is sent, given what the endpoint answers."""
        return response


def plan_routes(app: FastAPI) -> None:
    """Let the lean routes that an app has by now be called at once.

    A request that is to be refused goes the way of FastAPI, which says why; so does any other route.
    """
    app.router.middleware_stack = _PlannedRoutes(app.router.middleware_stack, list(_list_planned(app)))


class _Planned(NamedTuple):
    """A route, and how to call it."""

    path: re.Pattern[str]
    route: LeanRoute
    plan: "_Plan"


class _PlannedRoutes:
    """Innermost of all layers: calls what is planned, and passes on everything else."""

    def __init__(self, app: ASGIApp, planned: Sequence[_Planned]) -> None:
        self._app = app
        self._planned = planned

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        response = await self._answer(scope, receive) if scope.get("method") == "GET" else None
        await (self._app if response is None else response)(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response | None:
        """The answer of a planned route; None if there is none, or the request is to be refused."""
        path = scope["path"]
        for planned in self._planned:
            if (match := planned.path.match(path)) is not None:
                values = match.groupdict()
                request = Request(scope, receive)
                if (given := planned.plan.read(scope["query_string"], values)) is None:
                    return None
                scope["route"], scope["path_params"] = planned.route, values
                return planned.route.complete(request, await planned.plan.call(request, given))
        return None


def _list_planned(app: FastAPI) -> Iterator[_Planned]:
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, LeanRoute) and context.methods == {"GET"}:
            plan = _Plan.of(context.dependant)
            if plan is not None:
                yield _Planned(context.path_regex, route, plan)


@dataclass(frozen=True, slots=True)
class _Parameter:
    name: str
    """Of the function's argument."""
    alias: str
    """As clients write it."""
    parse: Parse
    is_required: bool
    default: object


@dataclass(frozen=True, slots=True)
class _Step:
    """A function, and where its arguments come from."""

    call: Callable[..., Any]
    parameters: Sequence[_Parameter]
    needs: Sequence[tuple[str, int]]
    """Arguments that are results of earlier steps."""
    request_name: str | None


@dataclass(frozen=True, slots=True)
class _Plan:
    """All functions of a route, the endpoint last, each after those that it needs."""

    steps: Sequence[_Step]
    query_names: frozenset[str]

    @classmethod
    def of(cls, endpoint: Dependant) -> Self | None:
        """The plan for an endpoint; None if there is more to it than functions, path and query."""
        steps: list[_Step] = []
        places: dict[Any, int] = {}
        query_names: set[str] = set()

        def add(needed: Dependant) -> int | None:
            if needed.call in places:
                return places[needed.call]
            below = [(each.name, add(each)) for each in needed.dependencies]
            if not _is_plain(needed) or any(place is None for _, place in below):
                return None
            fields = [*needed.path_params, *needed.query_params]
            query_names.update(field.alias for field in needed.query_params)
            steps.append(
                _Step(
                    _call(needed),
                    [_read_field(field) for field in fields],
                    [(name, place) for name, place in below if name is not None and place is not None],
                    needed.request_param_name,
                )
            )
            return places.setdefault(needed.call, len(steps) - 1)

        gives_response = inspect.signature(_call(endpoint)).return_annotation is Response
        is_whole = gives_response and add(endpoint) is not None
        return cls(steps, frozenset(query_names)) if is_whole else None

    def read(self, query: bytes, values: Mapping[str, str]) -> list[dict[str, Any]] | None:
        """Arguments of each step, by query and path; None if anything is wrong with them."""
        if query:
            pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
            named = dict(pairs)
            if len(named) != len(pairs) or not self.query_names.issuperset(named):
                return None
            values = {**named, **values}
        given = []
        for step in self.steps:
            arguments: dict[str, Any] = {}
            for parameter in step.parameters:
                if parameter.alias in values:
                    value, mistakes = parameter.parse(values[parameter.alias])
                    if mistakes:
                        return None
                elif parameter.is_required:
                    return None
                else:
                    value = parameter.default
                arguments[parameter.name] = value
            given.append(arguments)
        return given

    async def call(self, request: Request, given: Sequence[dict[str, Any]]) -> Response:
        """What the endpoint answers."""
        results: list[Any] = []
        for step, arguments in zip(self.steps, given, strict=True):
            for name, place in step.needs:
                arguments[name] = results[place]
            if step.request_name is not None:
                arguments[step.request_name] = request
            results.append(await step.call(**arguments))
        response: Response = results[-1]
        return response


def _call(needed: Dependant) -> Callable[..., Any]:
    assert needed.call is not None
    return needed.call


def _is_plain(needed: Dependant) -> bool:
    others = (
        needed.header_params,
        needed.cookie_params,
        needed.body_params,
        needed.response_param_name,
        needed.background_tasks_param_name,
        needed.security_scopes_param_name,
    )
    is_async = any(map(inspect.iscoroutinefunction, (needed.call, type(needed.call).__call__)))
    return not any(others) and is_async


def _read_field(field: Any) -> _Parameter:
    assert isinstance(field.field_info, params.Param)
    return _Parameter(field.name, field.alias, field.validate, field.field_info.is_required(), field.default)
