"""Lets nobody ask a model server without the token of the mesh."""

import secrets
from collections.abc import Collection

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send


class MeshToken:
    """Refuses what comes without the token, but for the paths that are open."""

    def __init__(self, app: ASGIApp, *, token: str, open_paths: Collection[str]) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()
        self._open_paths = frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what brings the token. Raises HTTPException: 401."""
        if scope["type"] == "http" and scope["path"] not in self._open_paths:
            offered = dict(scope["headers"]).get(b"authorization", b"")
            if not secrets.compare_digest(offered, self._expected):
                raise HTTPException(
                    401, "model servers ask for the mesh token: `Authorization: Bearer TOKEN`"
                )
        await self._app(scope, receive, send)
