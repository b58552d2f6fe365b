"""What every route asks of a request: a body in JSON, and no query parameter unknown or twice."""

from collections import Counter
from typing import Final

from fastapi import Request
from starlette.exceptions import HTTPException

JSON: Final = "application/json"


async def check_request(request: Request) -> None:
    """Raises HTTPException: 415 for a body of another type, 422 for what would be ignored."""
    if request.scope["query_string"]:
        _check_query(request)
    if request.method in ("POST", "PUT") and await request.body():
        _check_media_type(request.headers.get("content-type", ""))


def _check_query(request: Request) -> None:
    operation = request.app.openapi()["paths"][request.scope["route"].path][request.method.lower()]
    known = [each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"]
    given = Counter(name for name, _ in request.query_params.multi_items())
    if unknown := [name for name in given if name not in known]:
        takes = f"it takes {', '.join(known)}" if known else "it takes none"
        raise HTTPException(422, f"no parameter {', '.join(unknown)} of this path; {takes}")
    if repeated := [name for name in given if given[name] > 1]:
        raise HTTPException(422, f"{', '.join(repeated)}: given more than once; give one value")


def _check_media_type(received: str) -> None:
    if received.partition(";")[0].strip().lower() != JSON:
        raise HTTPException(415, f"the body is {received or 'of no named type'}; send {JSON}")
