"""Remembers which file and line each collected row came from, 5 bytes a row."""

from array import array
from collections.abc import Iterator

import numpy as np

from foundation.arrays import I64


class Origins:
    """Files and lines, in the order in which rows were collected."""

    def __init__(self) -> None:
        self._files: dict[str, int] = {}
        self._file_idx, self._lines = array("b"), array("i")

    def add(self, file: str, line: int | None) -> None:
        """Note where the next row comes from."""
        self._file_idx.append(self._files.setdefault(file, len(self._files)))
        self._lines.append(line or 0)

    def by_file(self, rows: I64) -> Iterator[tuple[str, int, Iterator[int]]]:
        """Each file that some of these rows came from, with how many, and the lines in which they began."""
        file_idx = np.array(self._file_idx, dtype=np.int8)[rows]
        for file, idx in self._files.items():
            own = rows[file_idx == idx]
            if own.size:
                yield file, own.size, (line for row in own if (line := self._lines[row]))
