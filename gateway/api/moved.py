"""Books that are part of another one by now, where a request is sent on to the heir, or withdrawn."""

from typing import Annotated, Any, Final

from fastapi import Depends, Request, Response

from gateway.api.services import BookIdPath, ServicesDep
from gateway.errors import BookNotFound

MOVED: Final[dict[int | str, dict[str, Any]]] = {
    308: {"description": "The book is part of another one by now; the same of that is at `Location`."}
}
"""The answer of a route with `CurrentBookId`, for its OpenAPI description."""


class BookMoved(Exception):
    """The path names a merged book."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


async def answer_moved(request: Request, error: Exception) -> Response:
    """Where the heir is asked the same; clients repeat the request there by themselves."""
    assert isinstance(error, BookMoved)
    return Response(status_code=308, headers={"Location": error.location})


async def _find_current(request: Request, services: ServicesDep, book_id: BookIdPath) -> int:
    heir_id = services.catalog.heirs.get(book_id)
    if heir_id is None:
        if book_id in services.catalog.withdrawn:
            raise BookNotFound(book_id)
        return book_id
    path = request.scope["route"].path_format.format(**request.path_params | {"book_id": heir_id})
    url = request.url.replace(path=request.scope.get("root_path", "") + path)
    raise BookMoved(url.path + (f"?{url.query}" if url.query else ""))


CurrentBookId = Annotated[int, Depends(_find_current)]
