"""The workflows of GitHub follow its schema, and call what developers call."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.homes import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("schema", ["vendor.github-workflows", "custom.github-workflows-require-timeout"])
def test_workflows_follow_the_schema(schema: str) -> None:
    words = [Path(sys.executable).parent / "check-jsonschema", "--builtin-schema", schema, *WORKFLOWS]

    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout
    assert [file.name for file in WORKFLOWS] == ["check.yml", "release.yml"]


def test_every_target_and_script_that_they_call_exists() -> None:
    runs = [
        step["run"]
        for file in WORKFLOWS
        for job in yaml.safe_load(file.read_text())["jobs"].values()
        for step in job["steps"]
        if "run" in step
    ]
    targets = {target for run in runs for target in re.findall(r"\bmake ([\w-]+)", run)}
    scripts = {script for run in runs for script in re.findall(r"(?:deploy|tests)/[\w-]+\.sh", run)}
    makefile = (ROOT / "Makefile").read_text()

    assert {"check", "test"} <= targets
    assert [each for each in targets if not re.search(rf"^{each}:", makefile, re.MULTILINE)] == []
    assert [each for each in scripts if not (ROOT / each).exists()] == []
