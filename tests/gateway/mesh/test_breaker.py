"""The circuit breaker, on a clock that the test moves."""

import pytest

from gateway.mesh.breaker import CircuitBreaker


class _Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def breaker(clock: _Clock) -> CircuitBreaker:
    return CircuitBreaker(failures=3, open_s=2.0, clock=clock)


def _fail(breaker: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        assert breaker.allows()
        breaker.failed()


def test_failures_below_the_limit_change_nothing(breaker: CircuitBreaker) -> None:
    _fail(breaker, 2)

    assert breaker.state == "closed"
    assert breaker.allows()


def test_a_success_starts_the_count_again(breaker: CircuitBreaker) -> None:
    _fail(breaker, 2)
    breaker.succeeded()

    _fail(breaker, 2)

    assert breaker.state == "closed"


def test_it_opens_at_the_limit_and_lets_no_request_through(breaker: CircuitBreaker) -> None:
    _fail(breaker, 3)

    assert breaker.state == "open"
    assert not breaker.allows()


def test_after_its_time_it_lets_one_request_through(breaker: CircuitBreaker, clock: _Clock) -> None:
    _fail(breaker, 3)
    clock.now_s += 2.0

    assert breaker.state == "half_open"
    assert breaker.allows()
    assert not breaker.allows()


def test_a_trial_that_succeeds_closes_it(breaker: CircuitBreaker, clock: _Clock) -> None:
    _fail(breaker, 3)
    clock.now_s += 2.0
    breaker.allows()

    breaker.succeeded()

    assert breaker.state == "closed"
    assert breaker.allows()
    assert breaker.allows()


def test_a_trial_that_fails_opens_it_for_as_long_again(breaker: CircuitBreaker, clock: _Clock) -> None:
    _fail(breaker, 3)
    clock.now_s += 2.0
    _fail(breaker, 1)

    clock.now_s += 1.9
    assert not breaker.allows()
    clock.now_s += 0.2
    assert breaker.allows()


def test_a_trial_without_a_verdict_leaves_room_for_another(breaker: CircuitBreaker, clock: _Clock) -> None:
    _fail(breaker, 3)
    clock.now_s += 2.0
    breaker.allows()

    breaker.abandoned()

    assert breaker.allows()
