"""The semantic server: books for a sentence."""

from contracts import semantic as contract
from servers.semantic.model import SemanticModel
from servers.shell.routes import ModelRoute, ModelServer, list_books, scans_many_books


def search(model: SemanticModel, version: str, request: contract.SearchRequest) -> contract.SearchResponse:
    """Find the books whose texts are nearest to this one."""
    return list_books(version, model.search(request.text, request.k))


def warm_up(model: SemanticModel) -> None:
    """Search once, so that the first request does not wait for the table of terms."""
    model.search(" ".join(model.encoder.terms[:1]), k=1)


SERVER = ModelServer(
    name="semantic",
    model=SemanticModel,
    routes=(ModelRoute(contract.SEARCH_PATH, contract.SearchRequest, search, is_slow=scans_many_books),),
    warm_up=warm_up,
)
