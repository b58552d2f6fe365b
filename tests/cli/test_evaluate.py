"""`bookmesh evaluate` on a home in which nothing was trained: it fits what it measures."""

import json
from pathlib import Path

import pytest

from tests.homes import Home


@pytest.fixture
def home(imported_home: Home, tmp_path: Path) -> Home:
    return imported_home.copy(tmp_path / "home")


def test_figures_are_printed_and_written_for_people_and_programs(home: Home, tmp_path: Path) -> None:
    printed = home.succeed(
        "evaluate", "--protocol", "fold-in", "--model", "popularity", "--model", "EASE",
        "--readers", "100", "--output", str(tmp_path / "reports"),
    )  # fmt: skip

    assert "fold-in: 100 readers, readers-0.2-of-5" in printed
    written = sorted(path.name for path in (tmp_path / "reports").iterdir())
    assert written == ["evaluation-fold-in.html", "evaluation-fold-in.json", "evaluation-fold-in.md"]
    found = json.loads((tmp_path / "reports/evaluation-fold-in.json").read_text())
    assert [model["name"] for model in found["models"]] == ["popularity", "EASE"]
    assert "| EASE |" in (tmp_path / "reports/evaluation-fold-in.md").read_text()
    page = (tmp_path / "reports/evaluation-fold-in.html").read_text()
    assert page.count("<svg") == page.count("<figure>") == 3
    assert "src=" not in page


def test_what_cannot_be_measured_is_told_with_what_to_do(home: Home) -> None:
    assert "popularity, " in home.fail("evaluate", "--model", "EASY")
    assert "no reader is of the source 'goodbooks'; there are demo" in home.fail(
        "evaluate", "--source", "goodbooks"
    )
