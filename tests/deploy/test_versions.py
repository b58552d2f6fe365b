"""Versions come and go under load, and no answer fails or mixes two; tests/long has the long form."""

import pytest

from tests.deploy.production import Production
from tests.deploy.publishing import fetch_calmly, find_alike, publish_in_turn

pytestmark = pytest.mark.loopback

N_VERSIONS = 6


def test_versions_published_forward_and_back_fail_no_request_and_are_never_mixed(
    production: Production,
) -> None:
    published = publish_in_turn(production, N_VERSIONS, every_s=0.5)
    expected = fetch_calmly(production, published.versions)

    assert find_alike(expected, published.versions) == []
    assert [(each.query, each.status, each.body) for each in published.load.failures] == []
    assert [(each.query, each.body) for each in published.find_mixed(expected)] == []
    assert len(published.load.versions) > 1
