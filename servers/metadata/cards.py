"""Cards as they are sent: JSON that is made when a card is first asked for."""

from collections.abc import Sequence
from typing import Final

import orjson
import pyarrow as pa

from foundation.arrays import I64, find_rows
from foundation.recent import Recent

KEPT_BYTES: Final = 16 * 2**20
"""Some 20,000 cards."""


class RenderedCards:
    """The cards of a table as JSON; those asked for last are kept."""

    def __init__(self, cards: pa.Table, book_ids: I64) -> None:
        """`book_ids` are those of the table, (n,) ascending."""
        self._cards = cards
        self._book_ids = book_ids
        self._kept = Recent[int, bytes](KEPT_BYTES, len)

    def render(self, book_ids: Sequence[int]) -> list[bytes]:
        """A JSON object for each of these books that there is, in their order."""
        rows = find_rows(self._book_ids, book_ids)[1].tolist()
        found = {row: card for row in rows if (card := self._kept.get(row)) is not None}
        if missing := [row for row in rows if row not in found]:
            for row, card in zip(missing, self._cards.take(missing).to_pylist(), strict=True):
                found[row] = orjson.dumps(card)
                self._kept.put(row, found[row])
        return [found[row] for row in rows]
