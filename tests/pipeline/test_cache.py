from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.cache import StepCache, build_key


@dataclass(frozen=True, eq=False)
class Result:
    numbers: NDArray[np.int64]


def make(value: int) -> Result:
    return Result(np.full(3, value))


def test_a_kept_result_is_not_computed_again(tmp_path: Path) -> None:
    cache = StepCache(tmp_path)
    first = cache.keep("step-1", Result, lambda: make(1))

    second = cache.keep("step-1", Result, lambda: pytest.fail("computed twice"))

    assert (first.reused, second.reused) == (False, True)
    assert second.value.numbers.tolist() == [1, 1, 1]


def test_repeat_computes_a_kept_result_anew(tmp_path: Path) -> None:
    cache = StepCache(tmp_path)
    cache.keep("step-1", Result, lambda: make(1))

    again = cache.keep("step-1", Result, lambda: make(2), repeat=True)

    assert again.value.numbers.tolist() == [2, 2, 2]
    assert cache.keep("step-1", Result, lambda: make(3)).value.numbers.tolist() == [2, 2, 2]


def test_a_computation_that_fails_leaves_nothing_to_reuse(tmp_path: Path) -> None:
    cache = StepCache(tmp_path)
    with pytest.raises(ZeroDivisionError):
        cache.keep("step-1", Result, lambda: make(1 // 0))

    assert cache.find("step-1", Result) is None


def test_a_damaged_result_is_computed_again(tmp_path: Path) -> None:
    cache = StepCache(tmp_path)
    cache.keep("step-1", Result, lambda: make(1))
    for path in (tmp_path / "step-1" / "objects").iterdir():
        path.chmod(0o644)
        path.write_bytes(path.read_bytes()[:-1])

    again = cache.keep("step-1", Result, lambda: make(2))

    assert not again.reused and again.value.numbers.tolist() == [2, 2, 2]


def test_the_newest_result_of_a_step_is_found_and_others_can_be_forgotten(tmp_path: Path) -> None:
    cache = StepCache(tmp_path)
    for number, key in enumerate(["export-b", "export-a", "split-c"]):
        cache.keep(key, Result, lambda number=number: make(number))

    assert cache.newest("export") == "export-a"
    assert cache.newest("clean") is None

    cache.forget_others({"export-b"})

    assert [path.name for path in tmp_path.iterdir()] == ["export-b"]


def test_a_key_depends_on_code_parameters_and_each_input_in_its_place() -> None:
    base = {"code": "c", "params": {"k": 1}, "inputs": ["x", "y"]}
    variants = [
        base,
        {**base, "code": "d"},
        {**base, "params": {"k": 2}},
        {**base, "inputs": ["y", "x"]},
        {**base, "inputs": ["x"]},
    ]

    keys = {build_key("als", **variant) for variant in variants}  # type: ignore[arg-type]

    assert len(keys) == len(variants)
    assert build_key("als", code="c", params={"k": 1}, inputs=["x", "y"]) in keys
