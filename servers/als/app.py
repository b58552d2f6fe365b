"""The als server: rankings for a reader, and why."""

from contracts import als as contract
from evidence.kind import EventBooks
from foundation.arrays import find_rows
from servers.als.model import AlsModel
from servers.als.newcomers import Told
from servers.shell.routes import ModelRoute, ModelServer, list_books, scans_many_books


def rank(model: AlsModel, version: str, request: contract.RankRequest) -> contract.RankResponse:
    """Rank books for whoever has this history."""
    history = [book.book_id for book in request.history]
    book_ids, scores = model.rank(
        history,
        [book.rating for book in request.history],
        k=request.k,
        exclude=request.exclude,
        popularity_weight=request.popularity_weight,
        rating_strength=request.rating_strength,
        with_history=request.with_history,
        author_limit=request.author_limit,
        events=EventBooks(
            [book.book_id for book in request.events], [book.weight for book in request.events]
        ),
    )
    n_known = int(find_rows(model.book_ids, history)[0].sum())
    return contract.RankResponse(
        version=version, book_ids=book_ids.tolist(), scores=scores.tolist(), n_known=n_known
    )


def rank_new(model: AlsModel, version: str, request: contract.RankNewRequest) -> contract.RankNewResponse:
    """Rank books for whoever has no history, but tells this of themselves."""
    found = model.rank_new(
        Told(request.subjects, request.author_ids, request.traits),
        k=request.k,
        exclude=request.exclude,
        popularity_weight=request.popularity_weight,
        author_limit=request.author_limit,
    )
    return list_books(version, found)


def explain(model: AlsModel, version: str, request: contract.ExplainRequest) -> contract.ExplainResponse:
    """Say which books of the history speak for each of these."""
    explained = model.explain(
        [book.book_id for book in request.history],
        [book.rating for book in request.history],
        request.book_ids,
        k=request.k,
        rating_strength=request.rating_strength,
    )
    contributions = [
        [contract.Contribution(book_id=book_id, share=share) for book_id, share in books]
        for books in explained
    ]
    return contract.ExplainResponse(version=version, contributions=contributions)


def warm_up(model: AlsModel) -> None:
    """Rank once, so that the first reader does not wait for pages to be read."""
    if model.book_ids.size:
        model.rank(model.book_ids[:1].tolist(), [None], k=1)


def _scans(model: AlsModel, request: contract.RankRequest | contract.RankNewRequest) -> bool:
    return model.scans(request.k) and scans_many_books(model, request)


SERVER = ModelServer(
    name="als",
    model=AlsModel,
    routes=(
        ModelRoute(contract.RANK_PATH, contract.RankRequest, rank, is_slow=_scans),
        ModelRoute(contract.RANK_NEW_PATH, contract.RankNewRequest, rank_new, is_slow=_scans),
        ModelRoute(
            contract.EXPLAIN_PATH, contract.ExplainRequest, explain, is_slow=lambda model, request: True
        ),
    ),
    warm_up=warm_up,
)
