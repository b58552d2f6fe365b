"""The choice of a version, as servers move from one to another."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from gateway.mesh.pinning import HeldVersions, choose_version

names = st.sampled_from(["v1", "v2", "v3", "v4"])


@st.composite
def held_versions(draw: st.DrawFn) -> HeldVersions:
    held = draw(st.sets(names, max_size=3))
    return HeldVersions(draw(st.sampled_from(sorted(held))) if held else None, frozenset(held))


def _held(current: str, *others: str) -> HeldVersions:
    return HeldVersions(current, frozenset({current, *others}))


@given(st.lists(held_versions(), min_size=1, max_size=5), names)
def test_a_version_that_all_hold_is_chosen_wherever_there_is_one(
    servers: list[HeldVersions], pinned: str
) -> None:
    chosen = choose_version(servers, pinned)

    common = frozenset.intersection(*(server.held for server in servers))
    assert chosen in (common or {chosen})


@given(st.lists(held_versions(), max_size=5), st.none() | names, st.randoms())
def test_the_order_of_the_servers_does_not_matter(
    servers: list[HeldVersions], pinned: str | None, random: object
) -> None:
    choices = {choose_version(order, pinned) for order in itertools.permutations(servers[:4])}

    assert len(choices) == 1


def test_without_a_live_server_the_pin_stays() -> None:
    assert choose_version([], "v1") == "v1"
    assert choose_version([HeldVersions(None, frozenset())], "v1") == "v1"
    assert choose_version([], None) is None


def test_a_promotion_is_followed_once_all_hold_the_new_version() -> None:
    moved, waiting = _held("v2", "v1"), _held("v1")

    assert choose_version([moved, moved, waiting], "v1") == "v1"
    assert choose_version([moved, moved, moved], "v1") == "v2"


def test_a_rollback_moves_to_the_older_name() -> None:
    rolled_back = _held("v1", "v2")

    assert choose_version([rolled_back] * 5, "v2") == "v1"


def test_half_way_between_two_versions_the_pin_does_not_flip() -> None:
    halves = [_held("v1", "v2"), _held("v2", "v1")]

    assert choose_version(halves, "v1") == "v1"
    assert choose_version(halves, "v2") == "v2"


def test_without_a_common_version_the_one_of_most_servers_is_chosen() -> None:
    left_behind, moved_on = _held("v1"), _held("v3", "v2")

    assert choose_version([left_behind, moved_on, moved_on], "v1") == "v3"


def test_a_pin_that_nobody_holds_any_more_is_given_up() -> None:
    assert choose_version([_held("v2"), _held("v2")], "v1") == "v2"


def test_the_pin_leaves_no_server_behind_because_another_was_restarted() -> None:
    left_behind, moved_on, restarted = _held("v1"), _held("v2", "v1"), _held("v2")

    assert choose_version([left_behind, moved_on, moved_on, moved_on, restarted], "v1") == "v1"
    assert choose_version([left_behind, moved_on, moved_on, restarted, restarted], "v1") == "v1"


def test_a_server_that_lacks_either_holds_up_nobody() -> None:
    of_another_store, moved_on = _held("v0"), _held("v2", "v1")

    assert choose_version([of_another_store, moved_on, moved_on], "v1") == "v2"
    assert choose_version([HeldVersions(None, frozenset()), moved_on, moved_on], "v1") == "v2"
