"""The reference of endpoints is what the gateway's OpenAPI document says."""

import runpy

import httpx

from tests.homes import ROOT

DOCS = ROOT / "docs"


def test_the_reference_is_what_the_gateway_says(shared: httpx.Client) -> None:
    builder = runpy.run_path(str(DOCS / "build_reference.py"))

    rendered = builder["render"](shared.get("/openapi.json").json())

    assert (DOCS / "reference.md").read_text() == rendered, "run `python docs/build_reference.py`"
