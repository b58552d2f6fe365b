"""A map of what was used last, whose look-up costs little more than a dictionary's."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")


class Recent(Generic[KeyT, ValueT]):
    """Keeps what was used last, up to so much of it: two halves take turns, and the elder goes as a whole.

    Several threads may use it: at worst, they find less.
    """

    def __init__(self, most: int, size_of: Callable[[ValueT], int] = lambda _: 1) -> None:
        """Keeps values of `most` together, by `size_of`; without that, so many values."""
        self._half = most // 2
        self._size_of = size_of
        self._young: dict[KeyT, ValueT] = {}
        self._old: dict[KeyT, ValueT] = {}
        self._young_size = 0

    def get(self, key: KeyT) -> ValueT | None:
        """What is kept under a key, and thereby counts as used."""
        value = self._young.get(key)
        if value is None and (value := self._old.get(key)) is not None:
            self.put(key, value)
        return value

    def put(self, key: KeyT, value: ValueT) -> None:
        """Keep a value, unless it is too large for a half."""
        size = self._size_of(value)
        if size > self._half:
            return
        if self._young_size + size > self._half:
            self._young, self._old, self._young_size = {}, self._young, 0
        self._young[key] = value
        self._young_size += size
