import getpass
import os

import pytest

from cli.operator import read_operator


def test_an_operator_without_a_name_is_known_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> str:
        raise KeyError("getpwuid(): uid not found: 4242")

    monkeypatch.setattr(getpass, "getuser", refuse)

    assert read_operator() == f"uid {os.getuid()}"
