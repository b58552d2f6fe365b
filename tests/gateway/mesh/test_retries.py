"""The budget of retries."""

from gateway.mesh.retries import RetryBudget


def _retry(budget: RetryBudget, n_requests: int) -> int:
    """How many of so many requests are sent once more, if all need it."""
    n_retries = 0
    for _ in range(n_requests):
        budget.earn()
        if budget.is_left:
            budget.spend()
            n_retries += 1
    return n_retries


def test_a_burst_of_failures_is_retried() -> None:
    assert _retry(RetryBudget(50), 50) == 50


def test_where_all_fails_one_request_in_ten_is_retried() -> None:
    budget = RetryBudget(50)
    _retry(budget, 100)

    assert 99 <= _retry(budget, 1000) <= 101


def test_what_goes_well_earns_no_more_than_the_burst() -> None:
    budget = RetryBudget(5)
    for _ in range(1000):
        budget.earn()

    assert _retry(budget, 8) == 5
