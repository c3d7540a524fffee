"""Tasks that cannot outlive their block."""

from __future__ import annotations

import asyncio

import pytest

from antiphon.testing.live_tasks import interruptible, race


async def test_the_first_to_end_ends_all() -> None:
    ended: list[str] = []

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    async def brief() -> None:
        await asyncio.sleep(0)
        ended.append("done")

    await race(forever(), brief(), forever())
    assert ended == ["done", "cancelled", "cancelled"]


async def test_an_error_is_raised_when_all_have_ended() -> None:
    async def fail() -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        await race(asyncio.Event().wait(), fail())  # type: ignore[arg-type]


async def test_who_did_not_begin_is_not_awaited() -> None:
    """The first ends before the second has its turn."""

    async def at_once() -> None:
        return

    async def never() -> None:
        raise AssertionError("it began")

    await race(at_once(), never())


async def test_cancelling_the_race_cancels_all() -> None:
    ended: list[int] = []

    async def forever(number: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(number)

    running = asyncio.gather(race(forever(1), forever(2)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert sorted(ended) == [1, 2]


async def test_a_block_can_be_told_to_end() -> None:
    loop = asyncio.get_running_loop()
    reached = False
    async with interruptible() as scope:
        loop.call_soon(scope.reschedule, loop.time())
        await asyncio.Event().wait()
        reached = True
    assert not reached
