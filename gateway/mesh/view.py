"""One request's view of the mesh: every call to every server at the same version, under the same deadline."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from contracts import als, embedder, metadata, semantic, similarity
from contracts.shell import (
    MODEL_PATH,
    VERSIONS_PATH,
    ModelRequest,
    ModelResponse,
    ReadableResponse,
    Request,
    ServerName,
    VersionsRequest,
    VersionsResponse,
)
from gateway.deadline import Deadline
from gateway.mesh.errors import VersionNotHeld, VersionUnavailable
from gateway.mesh.pinning import NO_VERSION
from gateway.mesh.server import Server

ResponseT = TypeVar("ResponseT", bound=ReadableResponse)


@dataclass(frozen=True)
class MeshView:
    """The five servers at one version, a method for each path of their contracts.

    Every method raises UpstreamError, UpstreamRefused and VersionNotHeld.
    """

    servers: Mapping[ServerName, Server]
    version: str | None
    """None until a server has reported what it holds: none can be called."""
    deadline: Deadline
    is_pinned: Callable[[str | None], bool]
    """Whether a version is the one that new requests are answered from."""
    is_last_attempt: bool = False
    """On the last attempt a server without the version is unavailable, rather than a reason to retry."""

    @property
    def version_name(self) -> str:
        """The version as responses name it."""
        return self.version or NO_VERSION

    def with_share(self) -> "MeshView":
        """The same view with a nearer deadline, which leaves time for a fallback."""
        return replace(self, deadline=self.deadline.share())

    async def describe(self, name: ServerName) -> ModelResponse:
        """What one of the servers tells of the version."""
        return await self._call(name, MODEL_PATH, ModelRequest(), ModelResponse)

    async def list_versions(self, name: ServerName) -> VersionsResponse:
        """What one of the servers finds in the artifact store."""
        return await self._call(name, VERSIONS_PATH, VersionsRequest(), VersionsResponse)

    async def rank(self, request: als.RankRequest) -> als.RankResponse:
        return await self._call("als", als.RANK_PATH, request, als.RankResponse)

    async def rank_new(self, request: als.RankNewRequest) -> als.RankNewResponse:
        return await self._call("als", als.RANK_NEW_PATH, request, als.RankNewResponse)

    async def explain(self, request: als.ExplainRequest) -> als.ExplainResponse:
        return await self._call("als", als.EXPLAIN_PATH, request, als.ExplainResponse)

    async def embed(self, subjects: Sequence[str]) -> embedder.EmbedResponse:
        """The vector of some subjects."""
        request = embedder.EmbedRequest(subjects=list(subjects))
        return await self._call("embedder", embedder.EMBED_PATH, request, embedder.EmbedResponse)

    async def similar(self, request: similarity.SimilarRequest) -> similarity.SimilarResponse:
        return await self._call("similarity", similarity.SIMILAR_PATH, request, similarity.SimilarResponse)

    async def nearest(self, vector: Sequence[float], k: int) -> similarity.NearestResponse:
        """Books nearest to a vector."""
        request = similarity.NearestRequest(vector=list(vector), k=k)
        return await self._call("similarity", similarity.NEAREST_PATH, request, similarity.NearestResponse)

    async def similarities(
        self, vector: Sequence[float], book_ids: Sequence[int]
    ) -> similarity.ScoresResponse:
        """Similarity of books to a vector."""
        request = similarity.ScoresRequest(vector=list(vector), book_ids=list(book_ids))
        return await self._call("similarity", similarity.SCORES_PATH, request, similarity.ScoresResponse)

    async def cards(self, book_ids: Sequence[int]) -> metadata.CardsResponse:
        """What a reader sees of books."""
        request = metadata.CardsRequest(book_ids=list(book_ids))
        return await self._call("metadata", metadata.CARDS_PATH, request, metadata.CardsResponse)

    async def popular(
        self, k: int, *, offset: int = 0, subject: str | None = None
    ) -> metadata.PopularResponse:
        request = metadata.PopularRequest(k=k, offset=offset, subject=subject)
        return await self._call("metadata", metadata.POPULAR_PATH, request, metadata.PopularResponse)

    async def popularities(self, book_ids: Sequence[int]) -> metadata.ScoresResponse:
        request = metadata.ScoresRequest(book_ids=list(book_ids))
        return await self._call("metadata", metadata.SCORES_PATH, request, metadata.ScoresResponse)

    async def browse(self, request: metadata.BrowseRequest) -> metadata.BrowseResponse:
        return await self._call("metadata", metadata.BROWSE_PATH, request, metadata.BrowseResponse)

    async def search(
        self, text: str, k: int, filters: metadata.BookFilters = metadata.ALL_BOOKS
    ) -> metadata.SearchResponse:
        request = metadata.SearchRequest(text=text, k=k, filters=filters)
        return await self._call("metadata", metadata.SEARCH_PATH, request, metadata.SearchResponse)

    async def search_by_meaning(self, text: str, k: int) -> semantic.SearchResponse:
        request = semantic.SearchRequest(text=text, k=k)
        return await self._call("semantic", semantic.SEARCH_PATH, request, semantic.SearchResponse)

    async def _call(
        self, name: ServerName, path: str, request: Request, response_type: type[ResponseT]
    ) -> ResponseT:
        server = self.servers[name]
        try:
            version = self._check_holds(server)
            return await server.call(path, request, response_type, version=version, deadline=self.deadline)
        except VersionNotHeld as error:
            if self.is_last_attempt:
                raise VersionUnavailable(name, self.version) from error
            raise

    def _check_holds(self, server: Server) -> str:
        """The version to call for, unless the server is known not to hold it."""
        if self.version is None:
            raise VersionUnavailable(server.name, None)
        if server.is_live and self.version not in server.versions.held:
            if self.is_pinned(self.version):
                # It was pinned although this server lacks it: a retry would change nothing.
                raise VersionUnavailable(server.name, self.version)
            raise VersionNotHeld(server.name, self.version, tuple(server.versions.held))
        return self.version
