"""Limits as clients meet them: what is refused, how, and by what they are counted."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import ValidationError

from gateway.accounts.callers import Service
from gateway.errors import RateLimited
from gateway.limits.limits import Limits
from gateway.limits.memory import MemoryCounts
from gateway.settings import GatewaySettings, LimitOptions
from tests.gateway import running
from tests.gateway.accounts import people
from tests.gateway.accounts.people import code_of, new_email

REFUSED = (429, "rate_limited")
BEHIND_PROXY = {"trusted_proxies": ("127.0.0.1", "10.0.0.0/8")}
Gateway = Callable[..., Any]


@pytest.fixture
def open_gateway(home: Path, urls: dict[str, str]) -> Gateway:
    """A gateway with some limits, and others that are not met."""

    @contextmanager
    def opened(*, options: dict[str, Any] = {}, **limits: int) -> Iterator[httpx.Client]:  # noqa: B006
        settings = running.settings_for(home, urls, limits={**running.PLENTY, **limits}, **options)
        with running.gateway(settings) as client:
            client.headers.pop("authorization", None)
            yield client

    return opened


def search(client: httpx.Client, **headers: str) -> httpx.Response:
    return client.get("/v1/search", params={"q": "space"}, headers=headers)


def search_from(client: httpx.Client, forwarded_for: str) -> int:
    return search(client, **{"X-Forwarded-For": forwarded_for}).status_code


def test_one_request_too_many_is_told_when_to_come_back(open_gateway: Gateway) -> None:
    with open_gateway(anonymous_per_minute=3) as client:
        answers = [search(client) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert code_of(answers[3]) == REFUSED
    assert 0 < int(answers[3].headers["Retry-After"]) <= 20
    assert answers[3].headers["Content-Type"] == "application/problem+json"


def test_an_answer_tells_what_is_left(open_gateway: Gateway) -> None:
    with open_gateway(anonymous_per_minute=3) as client:
        answers = [search(client) for _ in range(3)] + [client.get("/v1/nothing")]

    told = [[answer.headers[f"RateLimit-{name}"] for name in ("Limit", "Remaining")] for answer in answers]
    assert told == [["3", "2"], ["3", "1"], ["3", "0"], ["3", "0"]]
    assert [0 < int(answer.headers["RateLimit-Reset"]) <= 60 for answer in answers] == [True] * 4


def test_who_passes_another_limit_is_told_of_that_one(open_gateway: Gateway) -> None:
    with open_gateway(log_ins_per_minute=1) as client:
        answers = [people.log_in(client, new_email()) for _ in range(2)]

    told = [answer.headers.get_list("RateLimit-Limit") for answer in answers]
    assert told == [[str(running.PLENTY["anonymous_per_minute"])], ["1"]]


@pytest.mark.parametrize("path", ["/v1/health", "/health/live", "/health/ready", "/metrics"])
def test_operators_are_not_limited(open_gateway: Gateway, path: str) -> None:
    with open_gateway(anonymous_per_minute=1) as client:
        answers = [client.get(path) for _ in range(5)]

    assert {answer.status_code for answer in answers} == {200}
    assert not any("RateLimit-Limit" in answer.headers for answer in answers)


def test_paths_that_are_not_served_count_too(open_gateway: Gateway) -> None:
    with open_gateway(anonymous_per_minute=1) as client:
        assert [client.get("/v1/nothing").status_code for _ in range(2)] == [404, 429]


def test_readers_are_counted_apart_from_each_other_and_from_their_address(open_gateway: Gateway) -> None:
    with open_gateway(anonymous_per_minute=2, reader_per_minute=3) as client:
        one, other = (people.sign_up(client) for _ in range(2))

        statuses = [one.ask("GET", "/v1/me").status_code for _ in range(4)]

        assert statuses == [200, 200, 200, 429]
        assert other.ask("GET", "/v1/me").status_code == 200
        assert search(client).status_code == 429


def test_a_token_that_is_not_good_is_counted_as_no_token(open_gateway: Gateway) -> None:
    with open_gateway(anonymous_per_minute=2) as client:
        statuses = [
            client.get("/v1/me", headers={"Authorization": f"Bearer guess{n}"}).status_code for n in range(3)
        ]

        assert statuses == [401, 401, 429]
        assert search(client).status_code == 429


async def test_a_service_has_the_limit_of_its_key_or_else_that_of_the_settings() -> None:
    limits = Limits(MemoryCounts(), LimitOptions(key_per_minute=2), b"s" * 32)

    async def count_allowed(service: Service) -> int:
        for n in range(10):
            try:
                await limits.check_caller(service, "127.0.0.1")
            except RateLimited:
                return n
        return 10

    assert await count_allowed(Service(1, "shop", frozenset(), None)) == 2
    assert await count_allowed(Service(2, "library", frozenset(), 5)) == 5


def test_who_guesses_passwords_of_many_is_stopped_by_address(open_gateway: Gateway) -> None:
    with open_gateway(log_ins_per_minute=3) as client:
        answers = [people.log_in(client, new_email()) for _ in range(4)]

        assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
        form = {"email": new_email(), "name": "Ada", "password": people.PASSWORD}
        assert code_of(client.post("/v1/auth/signup", json=form)) == REFUSED
        assert code_of(client.post("/v1/auth/reset", json={"email": new_email()})) == REFUSED
        assert code_of(client.post("/v1/auth/claim", json={**form, "token": "guess"})) == REFUSED
        confirmation = {"token": "guess", "new_password": people.PASSWORD}
        assert code_of(client.post("/v1/auth/reset/confirm", json=confirmation)) == REFUSED
        assert search(client).status_code == 200


def test_who_guesses_the_password_of_one_is_stopped_from_wherever_they_do(open_gateway: Gateway) -> None:
    with open_gateway(options=BEHIND_PROXY, log_ins_of_email_per_minute=3) as client:
        statuses = []
        for n in range(4):
            client.headers["X-Forwarded-For"] = f"192.0.2.{n}"
            statuses.append(people.log_in(client, "Ada@example.org" if n % 2 else "ada@example.org"))

        assert [answer.status_code for answer in statuses] == [401, 401, 401, 429]
        assert people.log_in(client, new_email()).status_code == 401


@pytest.mark.parametrize("is_behind_proxy", [False, True], ids=["by address", "by reader"])
def test_who_has_stolen_a_token_cannot_guess_the_password(
    open_gateway: Gateway, is_behind_proxy: bool
) -> None:
    limits = {"log_ins_of_email_per_minute" if is_behind_proxy else "log_ins_per_minute": 4}
    with open_gateway(options=BEHIND_PROXY, **limits) as client:
        ada, statuses = people.sign_up(client), []
        for n in range(4):
            if is_behind_proxy:
                client.headers["X-Forwarded-For"] = f"192.0.2.{n}"
            guess = {"current_password": f"guess {n}"}
            statuses.append(ada.ask("PATCH", "/v1/me", {**guess, "email": new_email()}).status_code)
        change = {**guess, "new_password": people.PASSWORD}
        last = ada.ask("POST", "/v1/auth/password", change).status_code

    assert statuses[:3] == [401] * 3
    assert last == 429


def test_nobody_can_have_one_mailed_over_and_over(open_gateway: Gateway) -> None:
    with open_gateway(mails_per_hour=2) as client:
        email = new_email()

        answers = [client.post("/v1/auth/reset", json={"email": email}) for _ in range(3)]

        assert [answer.status_code for answer in answers] == [202, 202, 429]
        assert int(answers[2].headers["Retry-After"]) > 60


def test_anyone_may_write_into_x_forwarded_for_and_is_not_believed(
    open_gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")  # uvicorn would read it

    with open_gateway(anonymous_per_minute=2) as client:
        assert [search_from(client, f"192.0.2.{n}") for n in range(3)] == [200, 200, 429]


def test_a_proxy_that_is_not_trusted_is_not_believed(open_gateway: Gateway) -> None:
    with open_gateway(options={"trusted_proxies": ("10.0.0.0/8",)}, anonymous_per_minute=2) as client:
        assert [search_from(client, f"192.0.2.{n}") for n in range(3)] == [200, 200, 429]


def test_behind_a_trusted_proxy_each_client_is_counted(open_gateway: Gateway) -> None:
    with open_gateway(options=BEHIND_PROXY, anonymous_per_minute=1) as client:
        assert [search_from(client, f"192.0.2.{n}") for n in (1, 2, 1)] == [200, 200, 429]


def test_only_what_trusted_proxies_wrote_is_believed(open_gateway: Gateway) -> None:
    with open_gateway(options=BEHIND_PROXY, anonymous_per_minute=1) as client:
        spoofed = [search_from(client, f"198.51.100.{n}, 192.0.2.1, 10.1.2.3") for n in range(2)]

    assert spoofed == [200, 429]


@pytest.mark.parametrize(
    "value", ["10.0.0.7, fd00::/8", '["10.0.0.7", "fd00::/8"]'], ids=["with commas", "as JSON"]
)
def test_proxies_are_listed_in_the_environment(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("BOOKMESH_GATEWAY__TRUSTED_PROXIES", value)

    assert [str(each) for each in GatewaySettings().gateway.trusted_proxies] == ["10.0.0.7/32", "fd00::/8"]


def test_a_proxy_that_is_no_address_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOKMESH_GATEWAY__TRUSTED_PROXIES", "nginx.example.org")

    with pytest.raises(ValidationError, match="trusted_proxies"):
        GatewaySettings()


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", 429),
        ("2001:db8::1", "2001:db8:0:1::1", 200),
        ("::ffff:192.0.2.1", "192.0.2.1", 429),
        ("[2001:db8::1]:4711", "2001:db8::2", 429),
        ("_hidden", "_hidden", 429),
        ("_hidden", "_other", 200),
        ("fe80::1%eth0", "fe80::2%eth0", 429),
    ],
)
def test_ipv6_is_counted_by_its_network(open_gateway: Gateway, one: str, other: str, expected: int) -> None:
    with open_gateway(options=BEHIND_PROXY, anonymous_per_minute=1) as client:
        assert (search_from(client, one), search_from(client, other)) == (200, expected)


def test_without_redis_limits_hold_and_operators_are_told(open_gateway: Gateway) -> None:
    nowhere = {"cache": {"redis_url": "redis://127.0.0.1:9/0"}}
    with open_gateway(options=nowhere, anonymous_per_minute=3) as client:
        assert [search(client).status_code for _ in range(4)] == [200, 200, 200, 429]

        health = client.get("/v1/health").json()
        assert (health["status"], health["cache_ok"]) == ("degraded", False)
        assert read_counted_alone(client) == 4


def read_counted_alone(client: httpx.Client) -> float:
    families = text_string_to_metric_families(client.get("/metrics").text)
    return next(family.samples[0].value for family in families if family.name == "bookmesh_limited_alone")
