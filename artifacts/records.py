"""Save and open records: frozen dataclasses of arrays, matrices, tables, indexes, folders, JSON and records.

A record becomes one object for each value, named `<owner>/<field>` (`<owner>/<field>/<subfield>` in a nested
record). A sparse matrix is a header and the three arrays of its parts; a folder is a listing and its files.
A field that the record computes for itself (`init=False`) is not kept.

What another release saved is opened as far as it goes: a value without a field is read past; a field without
a value is looked for where it was formerly, and else has its default.
"""

import posixpath
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, get_args, get_type_hints

import faiss
import numpy as np
import pyarrow as pa
from pydantic import TypeAdapter
from scipy.sparse import csr_array

from artifacts import formats
from artifacts.documents import Format
from artifacts.errors import ArtifactError, ArtifactMissing, UnsupportedValue
from artifacts.files import Writer, replace_file
from artifacts.formats import Folder
from artifacts.manifest import ObjectEntry
from artifacts.objects import ObjectStore
from foundation.records import FORMERLY

R = TypeVar("R")
Values = Mapping[tuple[Format, str], Any]
"""Opened values by format and digest."""

RECORD = "record.json"
CSR_PARTS = ("data", "indices", "indptr")
_ENTRIES = TypeAdapter(list[ObjectEntry])


def save_record(record: object, folder: Path) -> None:
    """Save a record in a folder of its own; until all of it is on disk, the folder holds no record."""
    entries = write_record(ObjectStore(folder), "record", record)
    replace_file(folder, folder / RECORD, _ENTRIES.dump_json(entries, indent=2), name=RECORD)


def open_record(cls: type[R], folder: Path) -> R:
    """Open a saved record, arrays and tables mapped; ArtifactError if it is incomplete or damaged."""
    try:
        entries = _ENTRIES.validate_json((folder / RECORD).read_bytes())
    except FileNotFoundError:
        raise ArtifactMissing(folder / RECORD, name=cls.__name__) from None
    named = {entry.name: entry for entry in entries}
    reader = RecordReader(ObjectStore(folder), named, lambda name: ArtifactMissing(folder, name=name))
    return reader.read(cls, "record")


def write_record(
    objects: ObjectStore,
    owner: str,
    record: object,
    *,
    on_new: Callable[[str], None] = lambda digest: None,
    held: Mapping[int, ObjectEntry] | None = None,
) -> list[ObjectEntry]:
    """Store all values of a record and return their entries; on_new gets each digest not held before.

    `held` tells of values, by their `id`, what they are in the store: they are not written again. Raises
    UnsupportedValue, before anything is written, for a value that could not be opened again.
    """
    leaves = list(_flatten(owner, record))
    writer = _RecordWriter(objects, owner, on_new, held or {})
    return [entry for name, value in leaves for entry in writer.write(name, value)]


def find_held(record: object, owner: str, entries: Mapping[str, ObjectEntry]) -> dict[int, ObjectEntry]:
    """The entries of an opened record's values by their `id`, which holds for as long as the record lives."""
    held = {}
    for name, value in _flatten(owner, record):
        if isinstance(value, Folder):
            continue  # its files are links to objects, which says as much
        parts = {f"{name}/{part}": getattr(value, part) for part in CSR_PARTS if isinstance(value, csr_array)}
        for path, each in (parts or {name: value}).items():
            if path in entries:
                held[id(each)] = entries[path]
    return held


def _flatten(name: str, record: object) -> Iterator[tuple[str, Any]]:
    if not is_dataclass(record) or isinstance(record, type):
        raise UnsupportedValue(name, f"a {type(record).__name__} is not a record (a frozen dataclass)")
    for each, hint in _hinted_fields(type(record)):
        path, value = f"{name}/{each.name}", getattr(record, each.name)
        if _is_record(value):
            if _record_class(hint) is not type(value):
                raise UnsupportedValue(path, f"the field must be declared as {type(value).__name__}")
            yield from _flatten(path, value)
        else:
            _check_value(path, value)
            yield path, value


def _hinted_fields(cls: Any) -> list[tuple[Field[Any], object]]:
    hints = get_type_hints(cls)
    return [(each, hints[each.name]) for each in fields(cls) if each.init]


def _has_default(each: Field[Any]) -> bool:
    return each.default is not MISSING or each.default_factory is not MISSING


def _is_record(value: object) -> bool:
    return is_dataclass(value) and not isinstance(value, Folder | type)


def _record_class(hint: object) -> type | None:
    """Return the record class that a field's type names, also as `Record | None`; None for other fields."""
    for candidate in (hint, *get_args(hint)):
        if isinstance(candidate, type) and is_dataclass(candidate) and not issubclass(candidate, Folder):
            return candidate
    return None


def _check_value(name: str, value: object) -> None:
    match value:
        case np.ndarray():
            if value.dtype.hasobject:
                raise UnsupportedValue(name, "an array of Python objects would need pickle")
        case csr_array() | pa.Table() | faiss.Index():
            return
        case Folder():
            if not value.path.is_dir():
                raise UnsupportedValue(name, f"{value.path} is not a folder")
        case _:
            formats.check_json(name, value)


@dataclass(frozen=True)
class _RecordWriter:
    objects: ObjectStore
    owner: str
    on_new: Callable[[str], None]
    held: Mapping[int, ObjectEntry]

    def write(self, name: str, value: Any) -> Iterator[ObjectEntry]:
        if (entry := self.held.get(id(value))) is not None:
            yield self._take_over(name, entry)
            return
        match value:
            case np.ndarray():
                yield self._array(name, value)
            case csr_array():
                yield from self._csr(name, value)
            case pa.Table():
                yield self._put(name, "arrow", partial(formats.write_arrow, value), shape=value.shape)
            case faiss.Index():
                shape = (value.ntotal, value.d)
                yield self._put(name, "faiss", partial(formats.write_faiss, value), shape=shape)
            case Folder():
                yield from self._folder(name, value.path)
            case _:
                yield self._put(name, "json", partial(formats.write_json, value))

    def _take_over(self, name: str, entry: ObjectEntry) -> ObjectEntry:
        return entry.model_copy(update={"name": name, "owner": self.owner})

    def _array(self, name: str, array: Any) -> ObjectEntry:
        if (entry := self.held.get(id(array))) is not None:
            return self._take_over(name, entry)
        write = partial(formats.write_npy, array)
        return self._put(name, "npy", write, dtype=str(array.dtype), shape=array.shape)

    def _csr(self, name: str, matrix: csr_array) -> Iterator[ObjectEntry]:
        if not matrix.has_canonical_format:
            matrix = matrix.copy()  # scipy sorts in place when it needs to, which a read-only map forbids
            matrix.sum_duplicates()
        header = partial(formats.write_json, {"shape": list(matrix.shape)})
        yield self._put(name, "csr", header, dtype=str(matrix.dtype), shape=matrix.shape)
        for part in CSR_PARTS:
            array = getattr(matrix, part)
            is_narrowed = part != "data" and _fits_in_32_bits(matrix) and id(array) not in self.held
            yield self._array(f"{name}/{part}", array.astype(np.int32) if is_narrowed else array)

    def _folder(self, name: str, folder: Path) -> Iterator[ObjectEntry]:
        listing: dict[str, str] = {}
        # A lock belongs to the process that took it, not to the data.
        files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
        for path in sorted(files):
            relative = path.relative_to(folder).as_posix()
            entry = self._file(f"{name}/{relative}", path)
            listing[relative] = entry.digest
            yield entry
        yield self._put(name, "folder", partial(formats.write_json, listing))

    def _file(self, name: str, path: Path) -> ObjectEntry:
        target = path.resolve()
        if self.objects.holds(target):
            n_bytes = target.stat().st_size
            return ObjectEntry(name=name, owner=self.owner, format="file", digest=target.name, bytes=n_bytes)
        return self._put(name, "file", partial(_copy_file, path))

    def _put(
        self,
        name: str,
        kind: Format,
        write: Writer,
        *,
        dtype: str | None = None,
        shape: tuple[int, ...] | None = None,
    ) -> ObjectEntry:
        stored = self.objects.put(write, name=name)
        if stored.is_new:
            self.on_new(stored.digest)
        return ObjectEntry(
            name=name,
            owner=self.owner,
            format=kind,
            digest=stored.digest,
            bytes=stored.n_bytes,
            dtype=dtype,
            shape=shape,
        )


def _fits_in_32_bits(matrix: csr_array) -> bool:
    """Whether places of columns and entries do, as those of any catalog that fits into a machine."""
    return bool(max(*matrix.shape, matrix.nnz) <= np.iinfo(np.int32).max)


def _copy_file(source: Path, file: BinaryIO) -> None:
    with source.open("rb") as content:
        shutil.copyfileobj(content, file)


@dataclass
class RecordReader:
    """Opens records out of the objects that a manifest names; each digest is checked and opened once."""

    objects: ObjectStore
    entries: Mapping[str, ObjectEntry]
    not_saved: Callable[[str], ArtifactError]
    """The error for a value that is not among the entries, by its name."""
    reuse: Values = field(default_factory=dict)
    opened: dict[tuple[Format, str], Any] = field(default_factory=dict)
    _checked: set[str] = field(default_factory=set)

    def read(self, cls: type[R], name: str) -> R:
        """Open the record of this class and name; an ArtifactError names the object that it fails at."""
        values: dict[str, Any] = {}
        for each, hint in _hinted_fields(cls):
            place = self._find(each, hint, name)
            if place is not None or not _has_default(each):
                values[each.name] = self._field(hint, place or f"{name}/{each.name}")
        return cls(**values)

    def _find(self, each: Field[Any], hint: object, name: str) -> str | None:
        """Where a field of the record of this name was saved; None if it was not."""
        paths = (each.name, *each.metadata.get(FORMERLY, ()))
        places = (posixpath.normpath(f"{name}/{path}") for path in paths)
        return next((place for place in places if self._holds(hint, place)), None)

    def _holds(self, hint: object, place: str) -> bool:
        """Whether a value is saved in this place, or any value of a record."""
        nested = _record_class(hint)
        return place in self.entries or (
            nested is not None
            and any(self._find(each, hint, place) is not None for each, hint in _hinted_fields(nested))
        )

    def _field(self, hint: object, name: str) -> Any:
        nested = _record_class(hint)
        # The value of an optional record that was None is kept as JSON under the field's own name.
        if nested is not None and name not in self.entries:
            return self.read(nested, name)
        # A class of its own says what the files of a folder are, and reads them.
        is_folder = isinstance(hint, type) and issubclass(hint, Folder)
        return self._value(name, hint if is_folder else Folder)

    def _value(self, name: str, folder: Any = Folder) -> Any:
        entry = self._entry(name)
        key = (entry.format, entry.digest)
        if key not in self.opened:
            self.opened[key] = self.reuse[key] if key in self.reuse else self._open(entry, folder)
        value = self.opened[key]
        if entry.format == "csr":
            parts = tuple(self._value(f"{name}/{part}") for part in CSR_PARTS)
            return csr_array(parts, shape=value["shape"], copy=False)
        return value

    def _open(self, entry: ObjectEntry, folder: type[Folder]) -> Any:
        self._check(entry)
        value = formats.OPENERS[entry.format](self.objects.path(entry.digest))
        if entry.format == "folder":
            for path in value:
                self._check(self._entry(f"{entry.name}/{path}"))
            return folder(self.objects.view(entry.digest, value, name=entry.name))
        return value

    def _check(self, entry: ObjectEntry) -> None:
        if entry.digest not in self._checked:
            self.objects.check(entry)
            self._checked.add(entry.digest)

    def _entry(self, name: str) -> ObjectEntry:
        if name not in self.entries:
            raise self.not_saved(name)
        return self.entries[name]
