"""Tells beside every exported rating where it is from, and how that source writes it."""

from collections.abc import Iterator
from functools import cache
from typing import Final

import pyarrow as pa
from sqlalchemy import Connection, case, null

from catalog.arrow_batches import build_schema, read_batches, select_all
from catalog.merging.best import is_given_here
from catalog.scales import read_scales
from catalog.tables import Rating, User

_SOURCE: Final = case((is_given_here(Rating.given_here, Rating.rated_at), null()), else_=User.source)
_ORIGINAL: Final = pa.field("original_rating", pa.string())


def read_with_originals(connection: Connection) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """All ratings with their `source`, null for one that was given in the app, and `original_rating`.

    That is null where there is no source, or nothing was imported of it since 0.4.0, so that its scale is
    unknown.
    """
    query = select_all(Rating).add_columns(_SOURCE.label("source")).join(User, User.user_id == Rating.user_id)
    return build_schema(query).append(_ORIGINAL), _add_originals(connection, read_batches(connection, query))


def _add_originals(connection: Connection, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    scales = read_scales(connection)

    @cache  # a scale has few steps
    def tell(source: str | None, rating: float | None) -> str | None:
        return scales[source].to_source(rating) if source in scales else None

    for batch in batches:
        originals = map(tell, batch["source"].to_pylist(), batch["rating"].to_pylist())
        yield batch.append_column(_ORIGINAL, pa.array(originals, _ORIGINAL.type))
