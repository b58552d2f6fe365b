"""`bookmesh gate history`: a picture of how versions were judged, and all of it for programs."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from artifacts.manifest import GateCheck, GateVerdict
from cli.gate import draw
from pipeline.history import Judged
from tests.homes import Home

LONGEST = "recall_over_popularity_history_from_50"


def make_check(name: str, *, passed: bool, n_readers: int | None = 3000) -> GateCheck:
    return GateCheck(
        name=name, value=-0.0021, threshold=-0.005, passed=passed, mean=0.0004, interval=(-0.0021, 0.003),
        n_readers=n_readers,
    )  # fmt: skip


def make_judged(day: int, recall: float, *, passed: bool) -> Judged:
    checks = [make_check(LONGEST, passed=passed), make_check("complete_als", passed=True, n_readers=None)]
    metrics = {"recall@30": {"mean": recall, "low": recall - 0.01, "high": recall + 0.01}}
    version, outcome = f"202601{day:02}T000000Z-abcdef", "promoted" if passed else "refused"
    return Judged(version, outcome, day == 3, GateVerdict.of(*checks), metrics)  # type: ignore[arg-type]


def render(width: int) -> list[str]:
    judged = [make_judged(1, 0.15, passed=True), make_judged(2, 0.05, passed=False)]
    judged.append(make_judged(3, 0.16, passed=True))
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(draw(judged, width))
    return console.export_text().splitlines()


@pytest.mark.parametrize("width", [80, 120])
def test_the_picture_fits_and_cuts_nothing(width: int) -> None:
    lines = render(width)

    assert max(map(len, lines)) <= width and not any("…" in line for line in lines)
    [check] = [line for line in lines if LONGEST in line]
    assert "✓✗✓" in check and "-0.0021" in check and "-0.0050" in check
    assert ("[-0.0021, +0.0030]" in check and "3,000" in check) == (width == 120)


def test_recall_is_a_bar_as_long_as_it_is_large() -> None:
    bars = [line.count("█") for line in render(100) if "20260" in line]

    assert bars[1] < bars[0] / 2 and bars[0] < bars[2]


def test_what_has_always_passed_for_whole_models_is_counted_and_not_listed() -> None:
    told = "\n".join(render(120))

    assert "complete_als" not in told and "1 more checks, of whole models, have always passed" in told


def test_the_command_tells_of_all_versions_to_people_and_programs(trained_home: Home, tmp_path: Path) -> None:
    current = str(trained_home.store.current())

    [told] = json.loads(trained_home.succeed("gate", "history", "--json"))
    picture = trained_home.succeed("gate", "history")
    trained_home.succeed("gate", "history", "--svg", str(tmp_path / "history.svg"))

    assert told["version"] == current and told["outcome"] == "promoted" and told["is_current"]
    assert {check["name"] for check in told["verdict"]["checks"]} >= {"als_trained", "complete_cards"}
    assert current in picture and "learned_evidence" in picture
    assert (tmp_path / "history.svg").read_text().startswith("<svg")


def test_before_the_first_training_it_says_what_makes_a_version(empty_home: Home) -> None:
    assert "`bookmesh train` makes the first" in empty_home.succeed("gate", "history")
