"""One computation for many waiting callers."""

import asyncio

import pytest

from gateway.cache.single_flight import SingleFlight


class _Work:
    def __init__(self) -> None:
        self.runs = 0
        self.may_end = asyncio.Event()

    async def __call__(self) -> int:
        self.runs += 1
        await self.may_end.wait()
        return self.runs


async def test_callers_of_one_key_share_one_computation() -> None:
    flights, work = SingleFlight[int](), _Work()
    callers = [asyncio.create_task(flights.run("key", work)) for _ in range(20)]
    await asyncio.sleep(0)

    work.may_end.set()

    assert await asyncio.gather(*callers) == [1] * 20
    assert work.runs == 1


async def test_another_key_or_a_later_caller_computes_anew() -> None:
    flights, work = SingleFlight[int](), _Work()
    work.may_end.set()

    answers = [await flights.run(key, work) for key in ("a", "b", "a")]

    assert answers == [1, 2, 3]


async def test_a_caller_who_leaves_takes_the_answer_from_nobody() -> None:
    flights, work = SingleFlight[int](), _Work()
    first, second = (asyncio.create_task(flights.run("key", work)) for _ in range(2))
    await asyncio.sleep(0.01)

    first.cancel()
    work.may_end.set()

    assert await second == 1
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_when_the_last_caller_leaves_the_computation_ends_and_the_next_begins_anew() -> None:
    flights, work = SingleFlight[int](), _Work()
    callers = [asyncio.create_task(flights.run("key", work)) for _ in range(2)]
    await asyncio.sleep(0.01)
    for each in callers:
        each.cancel()
    await asyncio.gather(*callers, return_exceptions=True)

    later = asyncio.create_task(flights.run("key", work))
    await asyncio.sleep(0.01)
    work.may_end.set()

    assert await later == 2


async def test_everyone_gets_the_exception_and_the_next_caller_a_new_chance() -> None:
    flights = SingleFlight[int]()

    async def fail() -> int:
        await asyncio.sleep(0)
        raise ValueError("no")

    outcomes = await asyncio.gather(*(flights.run("key", fail) for _ in range(3)), return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["no"] * 3

    async def succeed() -> int:
        return 7

    assert await flights.run("key", succeed) == 7
