"""The embedder server: one vector for a set of subjects."""

from typing import Annotated

from pydantic import Field

from contracts.shell import Request, Response, Vector

EMBED_PATH = "/embed"
Subject = Annotated[str, Field(min_length=1, max_length=200)]


class EmbedRequest(Request):
    """Subjects by name; letter case does not matter."""

    subjects: Annotated[list[Subject], Field(min_length=1, max_length=64)]


class EmbedResponse(Response):
    """The pooled vector, unit L2 norm, in the space of the similarity server's subject vectors."""

    vector: Vector
    known: list[str]
    unknown: list[str]
