"""What the workers of one server agree on."""

from pathlib import Path

import hypothesis.strategies as st
from hypothesis import given

from servers.shell.siblings import Holding, Siblings, agree

VERSIONS = st.lists(st.sampled_from("abcd"), unique=True, max_size=4)


def holding(*held: str, since_s: float = 0, error: str | None = None) -> Holding:
    return Holding(list(held), current_since_s=since_s, looked_at_s=since_s, error=error)


def test_while_one_loads_a_new_version_the_old_one_is_current_for_all() -> None:
    fast, slow = holding("new", "old", since_s=5), holding("old", since_s=1)

    assert agree(fast, {2: slow})[:2] == agree(slow, {1: fast})[:2] == ("old", ["old"])


def test_once_all_hold_it_whoever_is_asked_says_the_same() -> None:
    first, second = holding("new", "old", since_s=5), holding("old", "new", since_s=1)

    assert agree(first, {2: second}).current == agree(second, {1: first}).current == "old"
    assert set(agree(first, {2: second}).held) == {"new", "old"}


def test_a_failure_of_one_is_told_by_all() -> None:
    assert agree(holding("a"), {2: holding("a", error="no room")}).error == "no room"


@given(own=VERSIONS, others=st.lists(VERSIONS, max_size=3))
def test_nothing_is_promised_that_one_of_them_lacks(own: list[str], others: list[list[str]]) -> None:
    agreed = agree(holding(*own), {pid: holding(*held) for pid, held in enumerate(others)})

    assert all(version in held for version in agreed.held for held in (own, *others))
    assert agreed.current is None or agreed.current in agreed.held


def test_each_reads_what_the_others_tell_and_not_itself(tmp_path: Path) -> None:
    told = Holding(["a"], 1.5, 2.5, None, {"b": 3.5})
    siblings = Siblings(tmp_path)
    siblings.tell(holding("mine"))
    (tmp_path / "7.json").write_text((next(tmp_path.glob("*.json"))).read_text().replace("mine", "theirs"))

    siblings.tell(told)

    assert siblings.read() == {7: holding("theirs")}
