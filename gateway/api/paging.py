"""The one way of paging: `limit` things after the first `offset`, and `total` in the answer."""

from typing import Annotated, Final

from fastapi import Query
from pydantic import Field

from gateway.schemas import Whole

MAX_LIMIT: Final = 1000
LimitQuery = Annotated[int, Field(ge=1, le=MAX_LIMIT), Whole, Query(description="Most on a page.")]
OffsetQuery = Annotated[int, Field(ge=0, le=1_000_000), Whole, Query(description="How many to skip.")]
