import sys
from pathlib import Path

import pytest

from pipeline.stepping import code_digest
from pipeline.stepping.code_digest import digest_code


def forget() -> None:
    """As a new process would have it."""
    digest_code.cache_clear()
    code_digest._read.cache_clear()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of three modules: step uses doubling, nobody uses stranger."""
    folder = tmp_path / "night"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "step.py").write_text("from night.doubling import double\n")
    (folder / "doubling.py").write_text("def double(x):\n    return 2 * x\n")
    (folder / "stranger.py").write_text("X = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(code_digest, "OUR_PACKAGES", ("night",))
    forget()
    yield folder
    forget()
    for name in [name for name in sys.modules if name.partition(".")[0] == "night"]:
        del sys.modules[name]


def digest_after(change: Path, text: str) -> str:
    change.write_text(text)
    forget()
    return digest_code("night.step")


def test_code_that_is_used_is_part_of_the_digest(package: Path) -> None:
    before = digest_code("night.step")

    assert digest_after(package / "doubling.py", "def double(x):\n    return x + x\n") != before


def test_code_that_is_not_used_is_not(package: Path) -> None:
    before = digest_code("night.step")

    assert digest_after(package / "stranger.py", "X = 2\n") == before


def test_comments_docstrings_and_formatting_are_not(package: Path) -> None:
    before = digest_code("night.step")

    same = '"""Sums."""\n\n\ndef double(x):\n    """Twice x."""\n    # By hand.\n    return (2 * x)\n'
    assert digest_after(package / "doubling.py", same) == before


def test_a_text_that_is_returned_is_code(package: Path) -> None:
    before = digest_after(package / "doubling.py", "def double(x):\n    return 'a'\n")

    assert digest_after(package / "doubling.py", "def double(x):\n    return 'b'\n") != before


def test_defaults_of_parameters_are_not_code() -> None:
    assert "pipeline.settings" not in code_digest._reachable("pipeline.steps.s6_als")


def test_every_step_rests_on_its_own_model_code_only() -> None:
    als = code_digest._reachable("pipeline.steps.s6_als")

    assert "evidence.neighbours" in als and "foundation.sparse" in als
    assert "pipeline.models.subject_attention" not in als


def test_how_results_are_kept_and_sent_is_not_what_they_are() -> None:
    gate = code_digest._reachable("pipeline.steps.s9_gate")

    named = {
        name for name in gate if not name.startswith(("evidence.", "foundation.", "pipeline.", "servers."))
    }
    assert named <= {"catalog", "catalog.traits", "evidence", "foundation", "pipeline", "servers"}
