"""The similarity server: books near a book, or near a vector."""

from contracts import similarity as contract
from servers.shell.routes import ModelRoute, ModelServer, list_books, scans_many_books
from servers.similarity.model import MAX_GRAPH_DEPTH, SimilarityModel


def similar(
    model: SimilarityModel, version: str, request: contract.SimilarRequest
) -> contract.SimilarResponse:
    """Find the books most similar to one."""
    found = model.similar(
        request.book_id, mode=request.mode, weight=request.weight, k=request.k, exclude=request.exclude
    )
    return list_books(version, found)


def nearest(
    model: SimilarityModel, version: str, request: contract.NearestRequest
) -> contract.NearestResponse:
    """Find the books whose subject vectors are nearest to this one."""
    return list_books(version, model.nearest(request.vector, request.k))


def score(model: SimilarityModel, version: str, request: contract.ScoresRequest) -> contract.ScoresResponse:
    """Compare these books with a vector."""
    scores = model.scores(request.vector, request.book_ids)
    return contract.ScoresResponse(version=version, book_ids=request.book_ids, scores=scores.tolist())


def _scans(model: SimilarityModel, request: contract.SimilarRequest) -> bool:
    looks_up = request.mode != "hybrid" and request.k <= MAX_GRAPH_DEPTH
    return not looks_up and scans_many_books(model, request)


SERVER = ModelServer(
    name="similarity",
    model=SimilarityModel,
    routes=(
        ModelRoute(contract.SIMILAR_PATH, contract.SimilarRequest, similar, is_slow=_scans),
        ModelRoute(contract.NEAREST_PATH, contract.NearestRequest, nearest, is_slow=scans_many_books),
        ModelRoute(contract.SCORES_PATH, contract.ScoresRequest, score),
    ),
    warm_up=SimilarityModel.warm_up,
)
