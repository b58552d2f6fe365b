"""Counts what readers tagged items with, to tell what each item is about."""

from collections import Counter, defaultdict

from catalog.sources.row_log import RowLog

MOST_TAGS = 20
LEAST_SHARE = 0.02
"""Of an item, tags that are given less often than this share of its commonest are some reader's whim."""


class TagCounts:
    """How often each item was given each tag: about 100 bytes for each tag of an item."""

    def __init__(self, file: str, log: RowLog) -> None:
        """`file` is what the tags are read from."""
        self._file, self._log = file, log
        self._items: dict[str, Counter[str]] = defaultdict(Counter)
        self._n_rows: Counter[str] = Counter()
        self._first_lines: dict[str, int] = {}

    def add(self, item: str, tag: str, n: int = 1) -> None:
        """Note a row of the file."""
        self._items[item][tag] += n
        self._n_rows[item] += 1
        self._first_lines.setdefault(item, self._log.line or 0)

    def take(self, item: str) -> tuple[str, ...]:
        """The tags of an item, the commonest first; its rows are kept."""
        if item not in self._items:
            return ()
        self._log.keep(self._file, self._n_rows[item])
        counts = self._items.pop(item)
        fewest = LEAST_SHARE * max(counts.values())
        telling = sorted((-n, tag) for tag, n in counts.items() if n >= fewest)
        return tuple(tag for _, tag in telling[:MOST_TAGS])

    def drop_rest(self) -> None:
        """Drop the rows of items that nobody took."""
        for item in self._items:
            self._log.drop_lines(self._file, "no book record", self._n_rows[item], (self._first_lines[item],))
