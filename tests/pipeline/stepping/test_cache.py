from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.stepping.cache import StepCache


@dataclass(frozen=True, eq=False)
class Result:
    numbers: NDArray[np.int64]


def make(value: int) -> Result:
    return Result(np.full(3, value))


def test_what_is_kept_is_found(tmp_path: Path) -> None:
    cache = StepCache(tmp_path)
    cache.keep("step-1", make(1))

    found = cache.find("step-1", Result)

    assert found is not None and found.numbers.tolist() == [1, 1, 1]
    assert cache.find("step-2", Result) is None


def test_a_result_kept_again_replaces_the_first(tmp_path: Path) -> None:
    cache = StepCache(tmp_path)
    cache.keep("step-1", make(1))

    again = cache.keep("step-1", make(2))

    found = cache.find("step-1", Result)
    assert found is not None and found.numbers.tolist() == again.numbers.tolist() == [2, 2, 2]


def test_a_damaged_result_is_not_found(tmp_path: Path) -> None:
    cache = StepCache(tmp_path)
    cache.keep("step-1", make(1))
    for path in (tmp_path / "step-1" / "objects").iterdir():
        path.chmod(0o644)
        path.write_bytes(path.read_bytes()[:-1])

    assert cache.find("step-1", Result) is None


def test_the_newest_result_of_a_step_is_found_and_others_can_be_forgotten(tmp_path: Path) -> None:
    cache = StepCache(tmp_path)
    for number, key in enumerate(["export-b", "export-a", "split-c"]):
        cache.keep(key, make(number))

    assert cache.newest("export") == "export-a"
    assert cache.newest("clean") is None

    cache.forget_others({"export-b"})

    assert [path.name for path in tmp_path.iterdir()] == ["export-b"]
