"""The metadata server: book cards, popularity and keyword search."""

import orjson

from contracts import metadata as contract
from servers.metadata.model import MetadataModel
from servers.shell.routes import ModelRoute, ModelServer, list_books, scans_many_books


def show_cards(model: MetadataModel, version: str, request: contract.CardsRequest) -> bytes:
    """Give the cards of these books, as a CardsResponse in JSON."""
    cards = b",".join(model.render_cards(request.book_ids))
    return b'{"version":%b,"cards":[%b]}' % (orjson.dumps(version), cards)


def list_popular(
    model: MetadataModel, version: str, request: contract.PopularRequest
) -> contract.PopularResponse:
    """List the most popular books, of all or of one subject."""
    return list_books(version, model.popular(k=request.k, offset=request.offset, subject=request.subject))


def score(model: MetadataModel, version: str, request: contract.ScoresRequest) -> contract.ScoresResponse:
    """Give the popularity of these books."""
    scores = model.scores(request.book_ids)
    return contract.ScoresResponse(version=version, book_ids=request.book_ids, scores=scores.tolist())


def search(model: MetadataModel, version: str, request: contract.SearchRequest) -> contract.SearchResponse:
    """Find books by words."""
    return list_books(version, model.search(request.text, request.k, request.filters))


def browse(model: MetadataModel, version: str, request: contract.BrowseRequest) -> contract.BrowseResponse:
    """Give a page of all books that pass the filters."""
    book_ids, scores, total = model.browse(
        request.filters, sort=request.sort, k=request.k, offset=request.offset, exclude=request.exclude
    )
    return contract.BrowseResponse(
        version=version, book_ids=book_ids.tolist(), scores=scores.tolist(), total=total
    )


SERVER = ModelServer(
    name="metadata",
    model=MetadataModel,
    routes=(
        ModelRoute(contract.CARDS_PATH, contract.CardsRequest, show_cards),
        ModelRoute(contract.POPULAR_PATH, contract.PopularRequest, list_popular),
        ModelRoute(contract.SCORES_PATH, contract.ScoresRequest, score),
        ModelRoute(contract.BROWSE_PATH, contract.BrowseRequest, browse, is_slow=scans_many_books),
        ModelRoute(contract.SEARCH_PATH, contract.SearchRequest, search, is_slow=scans_many_books),
    ),
    warm_up=MetadataModel.warm_up,
)
