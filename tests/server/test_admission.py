from __future__ import annotations

import asyncio
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.config import Retry
from antiphon.runtime.tasks import TaskOwner
from antiphon.server.admission import Admission, AdmissionClosed, Line, LineFull, Position, Ticket
from antiphon.testing.clock import VirtualClockLoop

pytestmark = pytest.mark.virtual_clock

RETRY = Retry(first_delay=1, max_delay=10, jitter=0)


def a_line(places: int = 2, longest: int = 10) -> Line:
    return Line(places, longest, RETRY, chance=lambda: 0)


def entered(line: Line, clients: int, now: float = 0) -> list[int]:
    """That many clients come; those who got a place at once."""
    admitted = []
    for _ in range(clients):
        line.enter(now)
        admitted += line.admit(now)
    return admitted


# --- the rules ------------------------------------------------------------------------------------------


def test_who_came_first_gets_the_place() -> None:
    """contract 8.6"""
    line = a_line()
    assert entered(line, 5) == [1, 2]
    assert line.waiting == (3, 4, 5)
    line.leave(2)
    assert line.admit(0) == [3]
    assert line.held == 2
    assert list(line.waiting) == [4, 5]
    assert line.deadline() is None


def test_who_leaves_the_line_is_gone_at_once() -> None:
    line = a_line()
    entered(line, 5)
    line.leave(3)
    line.leave(3)
    assert line.waiting == (4, 5)
    line.leave(1)
    assert line.admit(0) == [4]


def test_a_full_line_is_refused_with_a_reason() -> None:
    line = a_line(places=1, longest=2)
    entered(line, 3)
    with pytest.raises(LineFull, match="All 1 places are taken and 2 clients wait: try again in a minute"):
        line.enter(0)
    line.leave(2)
    assert line.enter(0) == 4


def test_without_a_line_places_are_given_all_the_same() -> None:
    line = a_line(places=1, longest=0)
    assert entered(line, 1) == [1]
    with pytest.raises(LineFull):
        line.enter(0)


def test_who_meets_the_quota_is_the_first_to_try_again() -> None:
    line = a_line()
    entered(line, 4)
    line.refused(2, now=5)
    assert line.waiting == (2, 3, 4)
    assert (line.admit(5), line.deadline()) == ([], 6)
    assert line.admit(6) == [2]


def test_nobody_overtakes_during_the_back_off() -> None:
    line = a_line()
    entered(line, 1)
    line.refused(1, now=0)
    line.enter(0.5)
    line.leave(1)
    assert (line.admit(0.5), line.waiting, line.deadline()) == ([], (2,), 1)


def test_those_who_meet_the_quota_together_keep_their_order_and_count_once() -> None:
    line = a_line(places=3)
    entered(line, 5)
    for number in (3, 1, 2):
        line.refused(number, now=0)
    assert (line.waiting, line.deadline()) == ((1, 2, 3, 4, 5), 1)


def test_after_a_refusal_one_tries_at_a_time_and_waits_ever_longer() -> None:
    line = a_line(places=3)
    entered(line, 3)
    for number in (1, 2, 3):
        line.refused(number, now=0)
    now, waits = 0.0, []
    for _ in range(6):
        deadline = line.deadline()
        assert deadline is not None
        waits.append(deadline - now)
        now = deadline
        assert line.admit(now) == [1]
        assert line.deadline() is None
        line.refused(1, now)
    assert waits == [1, 2, 4, 8, 10, 10]


def test_a_conversation_that_began_opens_the_line_again() -> None:
    line = a_line(places=3)
    entered(line, 4)
    line.refused(1, now=0)
    line.refused(2, now=0)
    assert line.admit(1) == [1]
    line.began(1)
    assert line.admit(1) == [2]
    line.refused(2, now=1)
    assert line.deadline() == 2  # the back-off begins anew


def test_a_client_that_leaves_on_trial_lets_the_next_one_try() -> None:
    line = a_line(places=1)
    entered(line, 3)
    line.refused(1, now=0)
    assert line.admit(1) == [1]
    line.leave(1)
    assert line.admit(1) == [2]


def test_the_provider_may_ask_for_a_longer_wait() -> None:
    line = a_line()
    entered(line, 1)
    line.refused(1, now=0, at_least=30)
    assert line.deadline() == 30


def test_the_back_off_is_spread() -> None:
    line = Line(1, 1, Retry(first_delay=8, jitter=0.5), chance=lambda: 0.5)
    entered(line, 1)
    line.refused(1, now=0)
    assert line.deadline() == 6


def test_what_is_said_of_those_who_left_changes_nothing() -> None:
    line = a_line()
    entered(line, 3)
    line.leave(1)
    line.began(1)
    line.refused(1, now=0)
    assert line.admit(0) == [3]


# --- on a loop ------------------------------------------------------------------------------------------


async def next_of(ticket: Ticket) -> Position:
    async with asyncio.timeout(0.01):
        return await anext(ticket)


async def is_admitted(ticket: Ticket) -> bool:
    try:
        await next_of(ticket)
    except StopAsyncIteration:
        return True
    return False


async def test_clients_are_told_their_place_at_every_change() -> None:
    admission = Admission(1, 10)
    first, second, third = (admission.enter() for _ in range(3))
    assert await is_admitted(first)
    assert [await next_of(second), await next_of(third)] == [(1, 2), (2, 2)]
    with pytest.raises(TimeoutError):  # nothing changed
        await next_of(third)
    second.leave()
    assert await next_of(third) == Position(1, 1) == third.position
    assert (admission.held, admission.waiting) == (1, 1)
    first.leave()
    assert await is_admitted(third)
    assert third.position is None


async def test_changes_that_nobody_looked_at_are_told_as_one() -> None:
    admission = Admission(1, 10)
    tickets = [admission.enter() for _ in range(5)]
    for ticket in tickets[1:4]:
        ticket.leave()
    assert [position async for position in tickets[1]] == []  # who left does not wait
    assert await next_of(tickets[4]) == (1, 1)


async def test_who_waits_is_woken() -> None:
    admission = Admission(1, 10)
    first, second = admission.enter(), admission.enter()

    async def wait() -> list[Position]:
        return [position async for position in second]

    async with asyncio.timeout(1):
        _, told = await asyncio.gather(leave_later(first), wait())
    assert told == [(1, 1)]


async def leave_later(ticket: Ticket) -> None:
    await asyncio.sleep(0.5)
    ticket.leave()


async def test_a_wait_that_is_cancelled_takes_nothing_away() -> None:
    admission = Admission(1, 10)
    first, second = admission.enter(), admission.enter()
    assert await next_of(second) == (1, 1)
    with pytest.raises(TimeoutError):
        await next_of(second)
    first.leave()
    assert await is_admitted(second)


async def test_a_refused_client_waits_and_tries_again_by_itself() -> None:
    admission = Admission(2, 10, RETRY)
    first, second, third = (admission.enter() for _ in range(3))
    first.refused()
    assert await next_of(first) == (1, 2)
    assert await next_of(third) == (2, 2)
    began = asyncio.get_running_loop().time()
    assert [position async for position in first] == []
    assert asyncio.get_running_loop().time() - began == pytest.approx(1, abs=0.1)
    first.began()
    second.leave()
    assert await is_admitted(third)


async def test_a_closed_line_sends_those_who_wait_away() -> None:
    """contract 8.8"""
    admission = Admission(1, 10)
    inside, outside = admission.enter(), admission.enter()
    admission.close("The server is about to end.")
    for _ in range(2):
        with pytest.raises(AdmissionClosed, match="about to end"):
            await next_of(outside)
    with pytest.raises(AdmissionClosed, match="about to end"):
        admission.enter()
    inside.refused()
    with pytest.raises(AdmissionClosed):
        await next_of(inside)
    outside.leave()
    assert (admission.held, admission.waiting) == (0, 0)


def test_fifty_clients_on_ten_places() -> None:
    """contract 8.6: whoever leaves, and whatever the quota, places go round in order and to everybody."""

    @settings(deadline=None)
    @given(st.integers(0, 2**32), st.integers(1, 12))
    def check(seed: int, quota: int) -> None:
        with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
            runner.run(fifty_clients(Random(seed), quota))

    check()


async def fifty_clients(chance: Random, quota: int) -> None:
    """`quota`: conversations that the provider allows at a time."""
    admission = Admission(10, 50, RETRY, chance.random)
    talking: set[int] = set()
    admitted: list[int] = []
    crashes: list[BaseException] = []
    clients = TaskOwner(crashes.append)

    async def client(number: int, patience: float, talk: float) -> None:
        ticket = admission.enter()
        first = True
        try:
            async with asyncio.timeout(patience):
                while True:
                    async for position, length in ticket:
                        assert 1 <= position <= length
                    assert admission.held <= 10
                    if first:
                        admitted.append(number)
                    first = False
                    await asyncio.sleep(chance.choice([0.0, 0.01]))  # connecting
                    if len(talking) < quota:
                        break
                    ticket.refused()
            ticket.began()
            talking.add(number)
            await asyncio.sleep(talk)
        except TimeoutError:
            assert patience < 10_000, "who has patience is served"
        finally:
            talking.discard(number)
            ticket.leave()

    tasks = [
        clients.spawn(
            client(number, chance.choice([0, 0.5, 5, 10_000, 10_000]), 10 * chance.random()), str(number)
        )
        for number in range(50)
    ]
    await asyncio.wait(tasks)
    assert crashes == []
    assert (admission.held, admission.waiting) == (0, 0)
    assert admitted == sorted(admitted)
