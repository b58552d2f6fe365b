"""What every route asks of a request: a body in JSON, if it wants no other, and no unknown parameter."""

from collections import Counter
from typing import Final

from fastapi import Request, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

JSON: Final = "application/json"


class RequestCheck:
    """A dependency of every route."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], list[str]] = {}
        """Names of the query parameters by path and method; to list them takes a tenth of a quick answer."""

    async def __call__(self, request: Request) -> None:
        """Raises HTTPException: 415 for a body of another type, 422 for what would be ignored."""
        if request.scope["query_string"]:
            self._check_query(request)
        if request.method in ("PATCH", "POST", "PUT") and await request.body():
            _check_media_type(
                request.headers.get("content-type", ""), _list_media_types(request.scope["route"])
            )

    def _check_query(self, request: Request) -> None:
        route = request.scope["route"]
        if not route.include_in_schema:
            return  # the API page has parameters of its own
        key = (route.path, request.method)
        known = self._known.get(key) or self._known.setdefault(key, _list_parameters(route))
        given = Counter(name for name, _ in request.query_params.multi_items())
        if unknown := [name for name in given if name not in known]:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            raise HTTPException(422, f"no parameter {', '.join(unknown)} of this path; {takes}")
        if repeated := [name for name in given if given[name] > 1]:
            raise HTTPException(422, f"{', '.join(repeated)}: given more than once; give one value")


def _list_parameters(route: APIRoute) -> list[str]:
    fields = get_flat_params(route.dependant)
    return [field.alias for field in fields if isinstance(field.field_info, params.Query)]


def _list_media_types(route: APIRoute) -> list[str]:
    """What the body may be: JSON, where the route does not document something else."""
    extra = route.openapi_extra or {}
    return list(extra["requestBody"]["content"]) if "requestBody" in extra else [JSON]


def _check_media_type(received: str, accepted: list[str]) -> None:
    if received.partition(";")[0].strip().lower() not in accepted:
        raise HTTPException(
            415, f"the body is {received or 'of no named type'}; send {' or '.join(accepted)}"
        )
