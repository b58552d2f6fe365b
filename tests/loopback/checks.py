"""What must hold of every list of books, whoever requests it."""

from collections import Counter
from collections.abc import Collection
from typing import Any

from foundation.author_limit import MOST_PER_AUTHOR, WINDOW
from gateway.schemas import UNKNOWN_AUTHOR

LIST_KEYS = {"list_id", "version", "mode", "degraded", "items"}
ITEM_KEYS = {"book_id", "title", "authors", "year", "n_pages", "isbns", "main_subject", "score"}


def check_list(body: dict[str, Any], *, k: int, unwanted: Collection[int] = ()) -> None:
    """Exactly k books in the agreed form, none twice, none unwanted, scores never increasing."""
    items = body["items"]
    book_ids = [item["book_id"] for item in items]
    scores = [item["score"] for item in items]

    assert body.keys() == LIST_KEYS
    assert all(item.keys() == ITEM_KEYS for item in items)
    assert len(items) == k
    assert len(set(book_ids)) == k
    assert not set(book_ids) & set(unwanted)
    assert scores == sorted(scores, reverse=True)
    assert all(item["title"] for item in items)


def most_of_one_author(items: list[dict[str, Any]]) -> int:
    """The most books of one author in any ten consecutive ones."""
    windows = [items[start : start + WINDOW] for start in range(max(1, len(items) - WINDOW + 1))]
    return max(max(_count_authors(window).values(), default=0) for window in windows)


def check_authors(items: list[dict[str, Any]]) -> None:
    """At most two books of an author whom the catalog knows in any ten consecutive ones."""
    assert most_of_one_author(items) <= MOST_PER_AUTHOR


def _count_authors(items: list[dict[str, Any]]) -> Counter[str]:
    return Counter(author for item in items for author in {*item["authors"]} - {UNKNOWN_AUTHOR})
