"""The file formats of values: only ones that cannot run code, opened mapped where the format allows."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import faiss
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from artifacts.documents import Format, encode_json
from artifacts.errors import UnsupportedValue


@dataclass(frozen=True)
class Folder:
    """A tree of files kept as a value: all files below path, except `*.lock`; empty folders are not kept."""

    path: Path


def write_npy(array: NDArray[Any], file: BinaryIO) -> None:
    """Write one array; object arrays would need pickle and raise ValueError."""
    np.lib.format.write_array(file, array, allow_pickle=False)


def open_npy(path: Path) -> NDArray[Any]:
    """Open an array read-only and mapped, so that processes share its pages."""
    mapped: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    # np.memmap costs on every slice and ufunc; a plain view of it is mapped all the same.
    return mapped.view(np.ndarray)


def write_arrow(table: pa.Table, file: BinaryIO) -> None:
    """Write a table as one Arrow IPC file, in a single batch where it fits, so that a look-up is one step."""
    with pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table.combine_chunks())


def open_arrow(path: Path) -> pa.Table:
    """Open a table read-only and mapped."""
    with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as reader:
        return reader.read_all()


def write_faiss(index: faiss.Index, file: BinaryIO) -> None:
    """Write an index, by a callback: FAISS's own files lose a write error that comes with the last buffer."""
    writer = faiss.PyCallbackIOWriter(file.write)  # type: ignore[attr-defined]  # made by SWIG
    faiss.write_index(index, writer)


def open_faiss(path: Path) -> faiss.Index:
    """Open an index read-only and mapped: IO_FLAG_MMAP alone would copy Flat and HNSW indexes."""
    return faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)


def write_json(value: object, file: BinaryIO) -> None:
    """Write a JSON value in its one canonical form."""
    file.write(encode_json(value))


def open_json(path: Path) -> Any:
    """Read a JSON value into memory."""
    return json.loads(path.read_bytes())


def check_json(name: str, value: object) -> None:
    """Raise UnsupportedValue if a value would not come back from JSON as it was."""
    match value:
        case dict():
            for key, item in value.items():
                if not isinstance(key, str):
                    raise UnsupportedValue(name, f"JSON has text keys only, not {key!r}")
                check_json(f"{name}[{key!r}]", item)
        case list():
            for item in value:
                check_json(name, item)
        case float() if not np.isfinite(value):
            raise UnsupportedValue(name, f"JSON has no {value}")
        case None | str() | bool() | int() | float():
            return
        case _:
            raise UnsupportedValue(name, f"no format for {type(value).__module__}.{type(value).__qualname__}")


OPENERS: dict[Format, Callable[[Path], Any]] = {
    "npy": open_npy,
    "arrow": open_arrow,
    "faiss": open_faiss,
    "json": open_json,
    "csr": open_json,
    "folder": open_json,
}
