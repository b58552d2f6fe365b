"""The semantic server: books for a sentence."""

from typing import Annotated

from pydantic import Field

from contracts.shell import MAX_BOOKS, Request, ScoredBooks

SEARCH_PATH = "/search"


class SearchRequest(Request):
    """A description of the book that a reader wants, in their own words."""

    text: Annotated[str, Field(min_length=1, max_length=2000)]
    k: Annotated[int, Field(ge=1, le=MAX_BOOKS)]


SearchResponse = ScoredBooks
