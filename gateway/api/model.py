"""The model: which version answers, where it came from, and how it was judged."""

from fastapi import APIRouter, Response

from contracts.shell import VERSION_HEADER
from gateway.api.conditional import NOT_MODIFIED, ConditionalRoute
from gateway.api.services import DeadlineDep, ServicesDep
from gateway.schemas import ModelInfo

router = APIRouter(prefix="/v1/model", tags=["model"], route_class=ConditionalRoute, responses=NOT_MODIFIED)


@router.get("", summary="Show the model that answers")
async def read_model(services: ServicesDep, deadline: DeadlineDep, response: Response) -> ModelInfo:
    """The version that lists are made from now; its metrics are of readers whose books were held back."""
    model = await services.details.describe_model(deadline)
    response.headers[VERSION_HEADER] = model.version
    return model
