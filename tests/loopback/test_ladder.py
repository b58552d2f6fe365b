"""What docs/degradation.md says of each dependency and each fault; tests/long measures it."""

from collections.abc import Iterator

import pytest

from contracts.shell import SERVER_NAMES
from tests.homes import Home
from tests.loopback.ladder import (
    CATALOG,
    DEPENDENCIES,
    FAULTS,
    REDIS,
    Fault,
    Ladder,
    ask,
    await_whole,
    running_ladder,
)

pytestmark = pytest.mark.loopback

DEADLINE_S = 1.5
SLACK_S = 10.0
"""For a machine that does much else: what hangs, hangs longer."""
PAIRS = [
    ("als", "metadata"),
    ("metadata", CATALOG),
    ("similarity", CATALOG),
    ("als", REDIS),
    (CATALOG, REDIS),
]


@pytest.fixture(scope="module")
def shared_ladder(trained_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ladder]:
    folder = tmp_path_factory.mktemp("ladder")
    (folder / "mariadb").mkdir()
    settings = {"deadline_s": DEADLINE_S, "BOOKMESH_GATEWAY__BREAKER__OPEN_S": "0.2"}
    with running_ladder(trained_home.copy(folder / "home"), folder, **settings) as ladder:
        yield ladder


@pytest.fixture
def ladder(shared_ladder: Ladder) -> Ladder:
    await_whole(shared_ladder)
    return shared_ladder


def check_row(ladder: Ladder, fault: Fault, names: tuple[str, ...]) -> None:
    with ladder.suffering(fault, names):
        answers = ask(ladder)
        health = ladder.mesh.get("/v1/health")
    recovery_s = await_whole(ladder)

    slowest_s, degraded = max(answers.seconds), sorted(answers.degraded)
    print(f"{fault} {names}: {slowest_s:.2f} s, {degraded}, whole after {recovery_s:.2f} s")
    assert answers.failures == []
    assert slowest_s < DEADLINE_S + SLACK_S
    assert {*names} - {REDIS} <= answers.degraded
    assert health["cache_ok"] is (REDIS not in names)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", DEPENDENCIES)
def test_without_one_dependency_readers_get_whole_lists(ladder: Ladder, fault: Fault, name: str) -> None:
    check_row(ladder, fault, (name,))


@pytest.mark.parametrize("names", PAIRS)
def test_without_two_dependencies_readers_get_whole_lists(ladder: Ladder, names: tuple[str, str]) -> None:
    check_row(ladder, "refused", names)


def test_without_any_server_popular_books_stand_in(ladder: Ladder) -> None:
    check_row(ladder, "kill -9", SERVER_NAMES)
