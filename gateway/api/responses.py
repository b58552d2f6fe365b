"""Lists of books as clients get them."""

from fastapi import Response

from contracts.shell import VERSION_HEADER
from gateway.api.schemas import BookItem, BookList
from gateway.recommend.assemble import Recommendations
from gateway.recommend.recommender import Rendered


def render_list(found: Recommendations) -> bytes:
    """The body of a list."""
    items = [
        BookItem(
            book_id=card.book_id,
            title=card.title,
            authors=card.authors,
            year=card.year,
            isbns=card.isbns,
            main_subject=card.main_subject,
            score=score,
        )
        for card, score in found.books
    ]
    body = BookList(version=found.version, mode=found.mode, degraded=list(found.degraded), items=items)
    return body.model_dump_json().encode()


def respond(rendered: Rendered) -> Response:
    """A rendered list as it is, naming its version."""
    return Response(rendered.body, media_type="application/json", headers={VERSION_HEADER: rendered.version})
