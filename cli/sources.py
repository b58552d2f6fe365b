"""Opens what imports read, by the names that commands and jobs have for it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from catalog.sources.records import Source

# Each imports what it needs when it is called: no other command should wait for that.


def open_book_crossing(
    folder: Path, open_library: Path | None = None, overrides: Path | None = None
) -> "Source":
    """The Book-Crossing dump, with Open Library's if there is one."""
    from catalog.sources.book_crossing import BookCrossing
    from catalog.sources.overrides import Overridden

    source = BookCrossing(folder, open_library)
    return Overridden(source, overrides) if overrides else source


def open_goodbooks(folder: Path) -> "Source":
    """Goodbooks-10k."""
    from catalog.sources.goodbooks import Goodbooks

    return Goodbooks(folder)


def open_movielens(folder: Path) -> "Source":
    """MovieLens, of either form."""
    from catalog.sources.movielens import open_movielens as find_form

    return find_form(folder)


def open_csv(folder: Path, mapping: Path | None = None, **options: Any) -> "Source":
    """Anybody's files, as a mapping file describes them, or else as the options do."""
    from catalog.sources.generic import Generic
    from catalog.sources.mapping import build_mapping, read_mapping

    return Generic(folder, read_mapping(mapping) if mapping else build_mapping(**options), at=mapping)


OPENERS: Final[Mapping[str, Callable[..., "Source"]]] = {
    "book-crossing": open_book_crossing,
    "goodbooks": open_goodbooks,
    "movielens": open_movielens,
    "csv": open_csv,
}
