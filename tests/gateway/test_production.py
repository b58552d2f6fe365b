"""`BOOKMESH_PRODUCTION`: what is good for one machine alone is refused, one by one."""

import pytest

from gateway.production import UnsafeDefaults, check_production
from gateway.settings import GatewaySettings
from tests.homes import Home

SAFE = {
    "BOOKMESH_PRODUCTION": "true",
    "BOOKMESH_GATEWAY__ACCOUNTS__SECRET": "s" * 32,
    "BOOKMESH_MAIL__SMTP_URL": "smtps://mail.example.org",
    "BOOKMESH_MAIL__SENDER": "books@example.org",
}
NEEDED = [name for name in SAFE if name != "BOOKMESH_PRODUCTION"]


@pytest.mark.parametrize("missing", NEEDED)
def test_each_unsafe_default_is_refused_by_name(missing: str, environment: pytest.MonkeyPatch) -> None:
    for name, value in SAFE.items():
        if name != missing:
            environment.setenv(name, value)

    with pytest.raises(UnsafeDefaults) as refused:
        check_production(GatewaySettings())

    assert refused.value.variables == [missing]


def test_what_is_set_is_served_by_and_so_are_defaults_on_one_machine(environment: pytest.MonkeyPatch) -> None:
    check_production(GatewaySettings())
    for name, value in SAFE.items():
        environment.setenv(name, value)

    check_production(GatewaySettings())


@pytest.mark.parametrize("words", [("up",), ("serve", "gateway")])
def test_nothing_starts_by_them(imported_home: Home, words: tuple[str, ...]) -> None:
    message = imported_home.fail(*words, code=2, BOOKMESH_PRODUCTION="true")

    assert all(name in message for name in NEEDED)
    assert not (imported_home.path / "secrets" / "signing").exists()
