"""Tasks have an owner that ends them, in a bounded time (contract 1.6)."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from antiphon.runtime.tasks import TaskOwner

if TYPE_CHECKING:
    from collections.abc import Iterator

WHO: contextvars.ContextVar[str] = contextvars.ContextVar("WHO", default="nobody")


class Crashes(list[BaseException]):
    def __call__(self, error: BaseException) -> None:
        self.append(error)


@pytest.fixture
def crashes() -> Crashes:
    return Crashes()


@pytest.fixture
def owner(crashes: Crashes) -> Iterator[TaskOwner]:
    yield TaskOwner(crashes)
    assert crashes == [], "a task crashed"


async def test_what_a_task_does_not_catch_is_told_once(crashes: Crashes) -> None:
    async def broken() -> None:
        raise LookupError("broken")

    task = TaskOwner(crashes).spawn(broken(), "broken")
    await asyncio.wait([task])
    assert [str(error) for error in crashes] == ["broken"]


async def test_a_cancelled_task_has_not_crashed(owner: TaskOwner) -> None:
    task = owner.spawn(asyncio.Event().wait(), "waits")
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])


async def test_ended_tasks_are_forgotten(owner: TaskOwner) -> None:
    for _ in range(100):
        await owner.spawn(asyncio.sleep(0), "short")
    assert owner._tasks == set()


async def test_tasks_see_the_context_of_whoever_made_their_owner(crashes: Crashes) -> None:
    """contract 5.3: tools see the variables of run_live()'s caller, whichever callback starts them"""
    WHO.set("the caller")
    owner = TaskOwner(crashes)
    seen: list[str] = []
    both = asyncio.Event()

    async def look() -> None:
        seen.append(WHO.get())
        WHO.set("a task")
        if len(seen) == 2:
            both.set()

    def start() -> None:
        owner.spawn(look(), "looks")

    loop = asyncio.get_running_loop()
    owner.spawn(look(), "looks")
    thread = threading.Thread(target=lambda: loop.call_soon_threadsafe(start))
    thread.start()
    await both.wait()
    thread.join()
    assert seen == ["the caller", "the caller"]
    assert WHO.get() == "the caller"


async def test_cancel_all_waits_until_everything_has_cleaned_up(owner: TaskOwner) -> None:
    """contract 1.6"""
    cleaned: list[int] = []

    async def work(number: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append(number)

    for number in range(3):
        owner.spawn(work(number), "works")
    await asyncio.sleep(0)
    await owner.cancel_all(1.0)
    assert sorted(cleaned) == [0, 1, 2]


async def test_a_task_that_has_not_begun_is_cancelled_too(owner: TaskOwner) -> None:
    begun: list[int] = []

    async def work() -> None:
        begun.append(1)

    owner.spawn(work(), "works")
    await owner.cancel_all(1.0)
    assert begun == []


async def test_cancel_all_may_be_called_from_one_of_the_tasks(owner: TaskOwner) -> None:
    other = owner.spawn(asyncio.Event().wait(), "waits")
    await owner.spawn(owner.cancel_all(1.0), "ends the others")
    assert other.cancelled()


async def test_tasks_that_ending_tasks_start_are_ended_too(owner: TaskOwner) -> None:
    """contract 1.6: no task outlives the generator"""

    async def leaves_another() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            owner.spawn(asyncio.Event().wait(), "another")

    owner.spawn(leaves_another(), "leaves another")
    await asyncio.sleep(0)
    await owner.cancel_all(1.0)
    assert owner._tasks == set()


@pytest.mark.virtual_clock
async def test_a_task_that_swallows_one_cancellation_is_asked_again(owner: TaskOwner) -> None:
    async def careless() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    task = owner.spawn(careless(), "careless")
    await asyncio.sleep(0)
    await owner.cancel_all(4.0)
    assert task.cancelled()
    assert asyncio.get_running_loop().time() == pytest.approx(2.0)


@pytest.mark.virtual_clock
async def test_a_task_that_does_not_let_itself_be_ended_costs_no_more_than_the_time_given(
    owner: TaskOwner, caplog: pytest.LogCaptureFixture
) -> None:
    """contract 1.6"""
    released = asyncio.Event()

    async def stubborn() -> None:
        while not released.is_set():
            with suppress(asyncio.CancelledError):
                await released.wait()

    task = owner.spawn(stubborn(), "stubborn")
    await asyncio.sleep(0)
    await owner.cancel_all(4.0)
    assert asyncio.get_running_loop().time() == pytest.approx(4.0)
    assert "stubborn did not end within 4.0 s" in caplog.text
    released.set()
    await task


async def test_an_owner_tells_what_it_ends_from_what_others_cancel(owner: TaskOwner) -> None:
    """contract 5.4: a tool whose inner task was cancelled, or that cancelled itself, has failed"""
    told: dict[str, bool] = {}

    async def awaits(name: str, inner: asyncio.Future[None]) -> None:
        try:
            await inner
        except asyncio.CancelledError:
            told[name] = owner.is_ending(asyncio.current_task())

    loop = asyncio.get_running_loop()
    inner = loop.create_future()
    owner.spawn(awaits("inner", inner), "inner")
    tasks = {
        name: owner.spawn(awaits(name, loop.create_future()), name) for name in ("others", "one", "every")
    }
    await asyncio.sleep(0)
    inner.cancel()
    tasks["others"].cancel()
    owner.cancel(tasks["one"])
    await asyncio.wait([tasks["others"], tasks["one"]])
    owner.cancel(tasks["one"])  # is over
    await owner.cancel_all(1.0)
    assert told == {"inner": False, "others": False, "one": True, "every": True}
    assert owner._ending == set()
