"""Which sources a reader's list comes from, in order."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from catalog.users import UserProfile
from foundation.serving_rules import ServingRules
from gateway.recommend.list_requests import ListRequestBuilder
from gateway.recommend.snapshot import EMPTY

NOBODY: frozenset[int] = frozenset()
NEW = UserProfile(
    user_id=1, revision="r", history=(), events=(), dismissed=NOBODY, hidden=NOBODY, replaced=NOBODY,
    favourite_subjects=("Space",), favourite_authors=(7,), by_favourites=frozenset({3}), traits=(),
)  # fmt: skip


def list_modes(user: UserProfile) -> list[str]:
    catalog: Any = SimpleNamespace(withdrawn=NOBODY)
    builder = ListRequestBuilder(catalog, lambda: EMPTY, ServingRules())
    request = builder.for_user(user, mode="auto", k=5, popularity_weight=None)
    return [source.mode for source in request.plan().sources]


def test_the_first_rating_moves_a_reader_from_favourites_to_their_history() -> None:
    assert list_modes(NEW)[:2] == ["subjects", "collaborative"]
    assert list_modes(replace(NEW, history=((9, 8.0),)))[:2] == ["collaborative", "subjects"]
