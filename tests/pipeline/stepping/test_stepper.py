import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from mypy import api
from numpy.typing import NDArray

from foundation.settings import Options
from foundation.tools import Tools
from pipeline.stepping.cache import StepCache
from pipeline.stepping.keys import Keys, ValueWithoutKey
from pipeline.stepping.progress import Progress
from pipeline.stepping.stepper import Stepper

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, eq=False)
class Numbers:
    values: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Halves:
    small: Numbers
    large: Numbers


class DoublingParams(Options):
    factor: int = 2


@pytest.fixture
def make_stepper(tmp_path: Path) -> Callable[..., Stepper]:
    return lambda first_repeated=None: Stepper(
        StepCache(tmp_path / "steps"), Progress(), first_repeated=first_repeated
    )


def tools(threads: int) -> Tools:
    return Tools(threads, lambda share: None, Path())


def count() -> Halves:
    return Halves(Numbers(np.arange(3)), Numbers(np.arange(3, 6)))


def double(numbers: Numbers, *, params: DoublingParams, tools: Tools) -> Numbers:
    return Numbers(params.factor * numbers.values)


def add(left: Numbers, right: Numbers) -> Numbers:
    return Numbers(left.values + right.values)


def fail(left: Numbers, right: Numbers) -> Numbers:
    raise ZeroDivisionError


def test_a_result_is_kept_and_one_that_follows_from_the_same_is_reused(
    make_stepper: Callable[..., Stepper],
) -> None:
    for threads in (1, 2):
        stepper = make_stepper()
        halves = stepper.run("clean", "all", count)
        doubled = stepper.run(
            "split", "all", double, halves.large, params=DoublingParams(), tools=tools(threads)
        )

    assert doubled.values.tolist() == [6, 8, 10]
    assert [run.reused for run in stepper.runs] == [True, True]


def test_a_step_and_those_after_it_are_repeated(make_stepper: Callable[..., Stepper]) -> None:
    for first_repeated in (None, "split"):
        stepper = make_stepper(first_repeated)
        halves = stepper.run("clean", "all", count)
        stepper.run("split", "all", add, halves.small, halves.large)

    assert [run.reused for run in stepper.runs] == [True, False]


def test_a_step_that_fails_leaves_nothing_to_reuse(make_stepper: Callable[..., Stepper]) -> None:
    for _ in range(2):
        stepper = make_stepper()
        halves = stepper.run("clean", "all", count)
        with pytest.raises(ZeroDivisionError):
            stepper.run("split", "all", fail, halves.small, halves.large)


def test_what_is_derived_from_results_may_go_into_steps(make_stepper: Callable[..., Stepper]) -> None:
    for _ in range(2):
        stepper = make_stepper()
        halves = stepper.run("clean", "all", count)
        both = stepper.derive(add, halves.small, halves.large)
        stepper.run("split", "all", add, both, halves.small)

    assert [run.reused for run in stepper.runs] == [True, True]


def test_a_value_that_no_step_has_left_is_refused(make_stepper: Callable[..., Stepper]) -> None:
    stranger = Numbers(np.arange(3))

    with pytest.raises(ValueWithoutKey, match="ndarray has no key"):
        make_stepper().run("split", "all", add, stranger, stranger)


def test_a_key_depends_on_code_parameters_and_each_input_in_its_place() -> None:
    keys, halves = Keys(), count()
    keys.remember(halves, "count-1")
    small, large = halves.small, halves.large
    variants = [
        (double, [small], {"params": DoublingParams()}),
        (double, [large], {"params": DoublingParams()}),
        (double, [small], {"params": DoublingParams(factor=3)}),
        (add, [small, large], {}),
        (add, [large, small], {}),
        (fail, [small, large], {}),
    ]

    built = {keys.build(*variant) for variant in variants}

    assert len(built) == len(variants)
    assert keys.build(double, [small], {"params": DoublingParams(), "tools": tools(9)}) in built


@pytest.mark.slow
def test_mypy_catches_a_step_that_is_given_the_wrong_input(tmp_path: Path) -> None:
    (tmp_path / "night.py").write_text(
        "from pipeline.records import Clean, Export\n"
        "from pipeline.settings import SplitParams\n"
        "from pipeline.stepping.stepper import Stepper\n"
        "from pipeline.steps.s3_split import split\n\n\n"
        "def run(stepper: Stepper, cleaned: Clean, exported: Export) -> None:\n"
        "    stepper.run('split', 'all', split, cleaned, params=SplitParams())\n"
        "    stepper.run('split', 'all', split, exported, params=SplitParams())\n"
        "    stepper.run('split', 'all', split, cleaned)\n"
        "    stepper.run('split', 'all', split, cleaned, params=SplitParams()).training\n"
    )

    # With the settings of `make check`, whose cache saves most of the time.
    report, _, _ = api.run([str(tmp_path / "night.py"), "--config-file", str(ROOT / "pyproject.toml")])

    wrong = [int(number) for number in re.findall(r"night\.py:(\d+): error", report)]
    assert wrong == [9, 10, 11], report
