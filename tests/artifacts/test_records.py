"""Records of every kind of value come back as they were, from the same bytes."""

from dataclasses import dataclass, field, make_dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

from artifacts.errors import ArtifactCorrupt, ArtifactMissing, UnsupportedValue
from artifacts.formats import Folder
from artifacts.objects import ObjectStore
from artifacts.records import open_record, save_record, write_record
from foundation.records import formerly
from tests.artifacts.examples import Encoder, Model, Point, build_model

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ARRAYS = hnp.arrays(
    dtype=hnp.scalar_dtypes(), shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
)
DENSE = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=6),
    elements=st.sampled_from([0, 0, 1, -2.5]),
)
TABLES = st.lists(
    st.fixed_dictionaries(
        {
            "book_id": st.integers(-(2**63), 2**63 - 1),
            "title": st.none() | st.text(max_size=5),
            "authors": st.lists(st.text(max_size=3), max_size=3),
        }
    ),
    max_size=5,
)
CARDS = pa.schema([("book_id", pa.int64()), ("title", pa.string()), ("authors", pa.list_(pa.string()))])
FILE_NAMES = st.text("abc.", min_size=1, max_size=4).filter(lambda name: name.strip(".") and ".." not in name)
FILES = st.dictionaries(
    st.tuples(st.sampled_from(["", "deep", "deep/er"]), FILE_NAMES), st.binary(max_size=20)
)

small = settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class Anything:
    """One field for any value."""

    value: Any


@dataclass(frozen=True)
class Counted:
    """A record that computes one of its fields."""

    terms: list[str]
    n_terms: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "n_terms", len(self.terms))


@dataclass(frozen=True)
class Grown:
    """A Point of a later release."""

    at: NDArray[np.float32]
    weight: float = 2.0
    names: list[str] = field(default_factory=list)
    encoder: Encoder | None = None


@dataclass(frozen=True)
class Twice:
    """A Point that gained a value, without a default."""

    at: NDArray[np.float32]
    again: NDArray[np.float32]


@dataclass(frozen=True)
class Moved:
    """The values of a Model under other names, two records further down."""

    vectors: NDArray[np.float32] = field(metadata=formerly("../../factors"))
    graph: csr_array = field(metadata=formerly("../../neighbours"))
    books: pa.Table = field(metadata=formerly("../../cards"))
    flat: faiss.Index = field(metadata=formerly("../../index"))
    words: Folder = field(metadata=formerly("../../texts"))
    settings: dict[str, object] = field(metadata=formerly("../../params"))
    coder: Encoder = field(metadata=formerly("../../encoder"))
    spare: Encoder | None = field(metadata=formerly("../../fallback"))


@dataclass(frozen=True)
class Middle:
    """What stands between."""

    moved: Moved


@dataclass(frozen=True)
class Regrouped:
    """A Model of a later release."""

    middle: Middle


@dataclass(frozen=True)
class Renamed:
    """A field with two former names, and a default if it has neither."""

    place: list[int] = field(default_factory=list, metadata=formerly("spot", "point"))


def round_trip(value: object, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("record")
    save_record(Anything(value), folder)
    return open_record(Anything, folder).value


@small
@given(array=ARRAYS)
def test_an_array_comes_back_read_only_with_the_same_bytes(
    array: NDArray[Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    opened = round_trip(array, tmp_path_factory)

    assert (opened.dtype, opened.shape, opened.tobytes()) == (array.dtype, array.shape, array.tobytes())
    assert type(opened) is np.ndarray
    assert not opened.flags.writeable


@small
@given(dense=DENSE)
def test_a_sparse_matrix_comes_back_equal(
    dense: NDArray[np.float32], tmp_path_factory: pytest.TempPathFactory
) -> None:
    opened = round_trip(csr_array(dense), tmp_path_factory)

    assert isinstance(opened, csr_array)
    assert (opened.dtype, opened.shape) == (np.dtype("f4"), dense.shape)
    np.testing.assert_array_equal(opened.toarray(), dense)


def test_places_of_a_matrix_are_kept_in_32_bits_and_opened_without_a_copy(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    matrix = csr_array(np.eye(50, dtype=np.float32))
    wide = csr_array((matrix.data, matrix.indices.astype(np.int64), matrix.indptr.astype(np.int64)))

    opened = round_trip(wide, tmp_path_factory)

    assert (opened.indices.dtype, opened.indptr.dtype) == (np.int32, np.int32)
    assert not opened.indices.flags.owndata and not opened.indices.flags.writeable
    np.testing.assert_array_equal(opened.toarray(), matrix.toarray())


@small
@given(rows=TABLES)
def test_a_table_comes_back_equal(
    rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    table = pa.Table.from_pylist(rows, schema=CARDS)

    opened = round_trip(table, tmp_path_factory)

    assert opened.schema == table.schema
    assert opened.to_pylist() == rows


@small
@given(value=JSON)
def test_a_json_value_comes_back_equal_with_the_same_types(
    value: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    opened = round_trip(value, tmp_path_factory)

    assert opened == value
    assert type(opened) is type(value)


@small
@given(
    vectors=hnp.arrays(
        np.float32, st.tuples(st.integers(0, 20), st.just(4)), elements=st.floats(-1, 1, width=32)
    ),
    kind=st.sampled_from(["flat", "hnsw"]),
)
def test_an_index_answers_as_before(
    vectors: NDArray[np.float32], kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    metric = faiss.METRIC_INNER_PRODUCT
    index = faiss.IndexFlatIP(4) if kind == "flat" else faiss.IndexHNSWFlat(4, 4, metric)
    index.add(vectors)
    query = np.ones((1, 4), dtype=np.float32)

    opened = round_trip(index, tmp_path_factory)

    assert type(opened) is type(index)
    for found, expected in zip(opened.search(query, 3), index.search(query, 3), strict=True):
        np.testing.assert_array_equal(found, expected)


@small
@given(files=FILES)
def test_a_folder_comes_back_with_the_same_files(
    files: dict[tuple[str, str], bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = tmp_path_factory.mktemp("source")
    for (parent, name), content in files.items():
        (source / parent).mkdir(parents=True, exist_ok=True)
        if not (source / parent / name).exists():
            (source / parent / name).write_bytes(content)

    opened = round_trip(Folder(source), tmp_path_factory)

    assert read_tree(opened.path) == read_tree(source)


def read_tree(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_a_record_of_all_kinds_comes_back_whole(tmp_path: Path) -> None:
    model = build_model(tmp_path / "texts")
    save_record(model, tmp_path / "saved")

    opened = open_record(Model, tmp_path / "saved")

    np.testing.assert_array_equal(opened.factors, model.factors)
    np.testing.assert_array_equal(opened.neighbours.toarray(), model.neighbours.toarray())
    assert opened.cards.equals(model.cards)
    assert opened.index.ntotal == 12
    assert read_tree(opened.texts.path) == read_tree(model.texts.path)
    assert opened.params == model.params
    assert (opened.encoder.terms, opened.fallback) == (model.encoder.terms, None)


def test_the_same_record_gives_the_same_digests_in_any_store(tmp_path: Path) -> None:
    first = write_record(ObjectStore(tmp_path / "a"), "als", build_model(tmp_path / "texts"))
    second = write_record(ObjectStore(tmp_path / "b"), "als", build_model(tmp_path / "other"))

    assert first == second


@small
@given(value=JSON, array=ARRAYS, rows=TABLES, dense=DENSE)
def test_equal_values_give_equal_digests(
    value: Any,
    array: NDArray[Any],
    rows: list[dict[str, Any]],
    dense: NDArray[np.float32],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    objects = ObjectStore(tmp_path_factory.mktemp("objects"))
    whole = pa.Table.from_pylist(rows, schema=CARDS)
    in_pieces = pa.concat_tables([whole.slice(0, 2), whole.slice(2)])
    reordered = dict(reversed(value.items())) if isinstance(value, dict) else value

    for one, same in [(value, reordered), (array, array.copy()), (whole, in_pieces), (csr_array(dense),) * 2]:
        first = write_record(objects, "als", Anything(one))
        assert write_record(objects, "als", Anything(same)) == first


def test_arrays_tables_and_indexes_are_mapped_not_copied(tmp_path: Path) -> None:
    save_record(build_model(tmp_path / "texts"), tmp_path / "saved")
    opened = open_record(Model, tmp_path / "saved")
    entries = {entry.name: entry for entry in write_record(ObjectStore(tmp_path / "saved"), "x", opened)}

    mapped = Path("/proc/self/maps")
    if not mapped.exists():
        pytest.skip("no /proc/self/maps on this system")
    maps = mapped.read_text()

    for name in ("x/factors", "x/neighbours/data", "x/cards", "x/index"):
        assert entries[name].digest in maps, name


def test_a_matrix_out_of_order_is_kept_sorted_so_that_a_read_only_map_serves(tmp_path: Path) -> None:
    unsorted = csr_array((np.array([1.0, 2.0, 3.0]), np.array([2, 0, 0]), np.array([0, 3])), shape=(1, 3))
    save_record(Anything(unsorted), tmp_path)

    opened = open_record(Anything, tmp_path).value

    opened.sort_indices()
    assert opened[[0], :].toarray().tolist() == [[5.0, 0.0, 1.0]]
    assert unsorted.indices.tolist() == [2, 0, 0]


def test_a_field_that_the_record_computes_is_computed_again(tmp_path: Path) -> None:
    save_record(Counted(["a", "b"]), tmp_path)

    assert open_record(Counted, tmp_path).n_terms == 2


def test_a_field_that_was_not_saved_has_its_default(tmp_path: Path) -> None:
    save_record(Point(np.zeros(1, dtype=np.float32)), tmp_path)

    opened = open_record(Grown, tmp_path)

    assert (opened.at.tolist(), opened.weight, opened.names, opened.encoder) == ([0.0], 2.0, [], None)


def test_a_field_that_is_gone_is_read_past(tmp_path: Path) -> None:
    save_record(Grown(np.zeros(1, dtype=np.float32), encoder=Encoder(["a"], np.ones(1, "f4"))), tmp_path)

    assert open_record(Point, tmp_path).at.tolist() == [0.0]


def test_values_of_every_kind_are_found_where_they_formerly_were(tmp_path: Path) -> None:
    model = build_model(tmp_path / "texts")
    save_record(model, tmp_path / "saved")

    moved = open_record(Regrouped, tmp_path / "saved").middle.moved

    np.testing.assert_array_equal(moved.vectors, model.factors)
    np.testing.assert_array_equal(moved.graph.toarray(), model.neighbours.toarray())
    assert moved.books.equals(model.cards)
    assert moved.flat.ntotal == 12
    assert read_tree(moved.words.path) == read_tree(model.texts.path)
    assert (moved.settings, moved.coder.terms, moved.spare) == (model.params, model.encoder.terms, None)


def test_what_was_moved_is_saved_in_its_new_place(tmp_path: Path) -> None:
    save_record(build_model(tmp_path / "texts"), tmp_path / "old")
    save_record(open_record(Regrouped, tmp_path / "old"), tmp_path / "new")

    opened = open_record(Regrouped, tmp_path / "new")

    np.testing.assert_array_equal(opened.middle.moved.vectors, open_record(Model, tmp_path / "old").factors)


@pytest.mark.parametrize(
    ("saved", "place"),
    [
        (make_dataclass("Newest", [("place", Any), ("spot", Any)])([3], [2]), [3]),
        (make_dataclass("Newer", [("point", Any), ("spot", Any)])([1], [2]), [2]),
        (make_dataclass("Older", [("point", Any)])([1]), [1]),
        (make_dataclass("Other", [("elsewhere", Any)])([0]), []),
    ],
)
def test_a_fields_own_name_comes_first_then_its_former_ones_in_order_then_its_default(
    saved: object, place: list[int], tmp_path: Path
) -> None:
    save_record(saved, tmp_path)

    assert open_record(Renamed, tmp_path).place == place


def test_a_record_that_lacks_one_of_its_values_is_not_replaced_by_a_default(tmp_path: Path) -> None:
    with_half_an_encoder = make_dataclass("Half", [("encoder", Point)])(Point(np.ones(1, "f4")))
    save_record(make_dataclass("Whole", [("at", Any)])(np.ones(1, "f4")), tmp_path / "none")
    save_record(with_half_an_encoder, tmp_path / "half")
    wanted = make_dataclass("Wanted", [("encoder", Twice | None, None)])

    assert open_record(wanted, tmp_path / "none").encoder is None
    with pytest.raises(ArtifactMissing, match="record/encoder/again"):
        open_record(wanted, tmp_path / "half")


def test_a_lock_file_is_not_part_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / ".tantivy-writer.lock").touch()
    (tmp_path / "texts" / "meta.json").write_text("{}")
    save_record(Anything(Folder(tmp_path / "texts")), tmp_path / "saved")

    assert set(read_tree(open_record(Anything, tmp_path / "saved").value.path)) == {"meta.json"}


def test_a_store_that_was_moved_still_opens_its_folders(tmp_path: Path) -> None:
    save_record(build_model(tmp_path / "texts"), tmp_path / "saved")
    before = read_tree(open_record(Model, tmp_path / "saved").texts.path)

    (tmp_path / "saved").rename(tmp_path / "moved")

    assert read_tree(open_record(Model, tmp_path / "moved").texts.path) == before


def test_a_folder_view_that_lost_a_link_is_made_again(tmp_path: Path) -> None:
    save_record(build_model(tmp_path / "texts"), tmp_path / "saved")
    view = open_record(Model, tmp_path / "saved").texts.path
    (view / "a.txt").unlink()

    assert (open_record(Model, tmp_path / "saved").texts.path / "a.txt").read_text() == "first of 0"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (np.array([object()]), "pickle"),
        ({1: "a"}, "text keys"),
        ([1.0, float("nan")], "no nan"),
        ((1, 2), "no format for builtins.tuple"),
        (np.float32(1), "no format for numpy.float32"),
        (csc_array((2, 2)), "no format for scipy"),
        (Point(np.zeros(1)), "declared as Point"),
        (Folder(Path("/nowhere/at/all")), "not a folder"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_that_would_not_come_back_is_refused_before_anything_is_written(
    value: object, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(UnsupportedValue, match=reason) as caught:
        save_record(Anything(value), tmp_path / "saved")

    assert caught.value.name.startswith("record/value")
    assert not (tmp_path / "saved").exists()


def test_what_is_not_a_record_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedValue, match="not a record"):
        save_record({"a": 1}, tmp_path)


def test_a_field_that_was_not_saved_is_named(tmp_path: Path) -> None:
    save_record(Point(np.zeros(1, dtype=np.float32)), tmp_path)

    with pytest.raises(ArtifactMissing, match="record/terms"):
        open_record(Encoder, tmp_path)


def test_a_folder_without_a_record_says_so(tmp_path: Path) -> None:
    with pytest.raises(ArtifactMissing, match="Point is missing"):
        open_record(Point, tmp_path)


def test_a_saved_record_that_was_damaged_is_refused_by_name(tmp_path: Path) -> None:
    save_record(Point(np.zeros(4, dtype=np.float32)), tmp_path)
    path = next((tmp_path / "objects").iterdir())
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1])

    with pytest.raises(ArtifactCorrupt, match="record/at is damaged"):
        open_record(Point, tmp_path)
