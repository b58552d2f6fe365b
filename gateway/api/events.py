"""What readers did with the books that they were shown, in batches."""

from fastapi import APIRouter
from starlette.exceptions import HTTPException

from catalog.events import NewEvent
from catalog.tables import EventKind
from gateway.accounts.callers import Reader, check_acts_for
from gateway.api import problems
from gateway.api.callers import KnownCallerDep
from gateway.api.services import ServicesDep
from gateway.recommend.list_ids import read_list_id
from gateway.schemas import EventBatch, EventsStored

router = APIRouter(prefix="/v1/events", tags=["events"])


@router.post("", responses=problems.document(*problems.OF_USER, 413, 415), summary="Tell what a reader did")
async def record_events(services: ServicesDep, caller: KnownCallerDep, batch: EventBatch) -> EventsStored:
    """All in one go; a batch that is sent again adds nothing.

    A book counts as shown once per list. Views and clicks are stored once for their list and time; a like, a
    dismissal and the wish to read a book once for all. Books that are not there any more are left out, and
    named: a list may be older than a withdrawal.
    """
    user_id = batch.user_id
    if user_id is None:
        if not isinstance(caller, Reader):
            raise HTTPException(422, "body.user_id: whoever sends a key says which reader it was")
        user_id = caller.user_id
    check_acts_for(caller, user_id)
    given = [
        NewEvent(each.book_id, EventKind(each.kind), each.at, each.list_id, each.surface, each.position)
        for each in batch.events
    ]
    recorded = await services.catalog.record_events(user_id, given)
    for event in recorded.new:
        services.metrics.events.labels(event.kind, *read_list_id(event.list_id)).inc()
    return EventsStored(n_new=recorded.n_new, n_known=recorded.n_known, unknown=list(recorded.unknown))
