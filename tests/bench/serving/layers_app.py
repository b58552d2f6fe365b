"""The gateway with one more route that has nothing to do: what its layers cost.

python -m tests.bench.serving.layers_app
"""

import uvicorn
from fastapi import Response

from gateway.api.callers import OwnUserId
from gateway.api.lean import LeanRoute, plan_routes
from gateway.app import PROCESS, create_app
from gateway.serve import build_uvicorn_config
from gateway.settings import GatewaySettings
from telemetry.logs import configure_logging

PATH = "/v1/users/{user_id}/nothing"


async def answer_nothing(user_id: OwnUserId) -> Response:
    """For whoever may act for the reader."""
    return Response(b"{}", media_type="application/json")


def main() -> None:
    """Serve as `bookmesh serve gateway` does."""
    settings = GatewaySettings()
    configure_logging(PROCESS, level=settings.telemetry.log_level)
    app = create_app(settings)
    app.router.add_api_route(PATH, answer_nothing, route_class_override=LeanRoute)
    plan_routes(app)
    uvicorn.Server(build_uvicorn_config(settings, app)).run()


if __name__ == "__main__":
    main()
