"""Order within a lane, turns between lanes, and nothing left behind."""

from __future__ import annotations

import asyncio
import threading

import pytest

from antiphon.models.local.lanes import WORKERS, Lane, work


def voices() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name.startswith("antiphon-voice")]


def nothing(said: object) -> None:
    raise AssertionError(said)


def raised(error: Exception) -> None:
    raise error


def broken() -> None:
    raise ValueError("no")


async def test_jobs_of_a_lane_are_done_one_after_the_other() -> None:  # rule 2
    lane, at_work, most, done = Lane(raised), [0], [0], asyncio.Event()
    order: list[int] = []

    def job(number: int) -> int:
        assert threading.current_thread().name.startswith("antiphon-voice")
        at_work[0] += 1
        most[0] = max(most[0], at_work[0])
        at_work[0] -= 1
        return number

    def then(number: int) -> None:
        order.append(number)
        if number == 49:
            done.set()

    for number in range(50):
        lane.do(lambda number=number: job(number), then)  # type: ignore[misc]
    assert lane.busy
    await done.wait()
    assert order == list(range(50)) and most == [1] and not lane.busy
    await lane.close(1.0)


async def test_all_lanes_share_a_few_threads_which_end_with_the_last() -> None:  # rule 1
    lanes = [Lane(raised) for _ in range(20)]
    done = [asyncio.Event() for _ in lanes]
    for lane, event in zip(lanes, done, strict=True):
        lane.do(int, lambda _, event=event: event.set())  # type: ignore[misc]
    await asyncio.gather(*(event.wait() for event in done))
    assert 0 < len(voices()) <= WORKERS
    assert await work(lambda: 7) == 7
    for lane in lanes:
        await lane.close(1.0)
        lane.leave()
    for thread in voices():
        thread.join(5.0)
    assert not voices()


async def test_what_a_job_raises_is_told_and_the_next_is_done() -> None:
    told: list[Exception] = []
    done = asyncio.Event()
    lane = Lane(told.append)
    lane.do(broken, nothing)
    lane.do(int, lambda _: done.set())
    await done.wait()
    assert [str(error) for error in told] == ["no"]
    with pytest.raises(ValueError, match="no"):
        await work(broken)
    await lane.close(1.0)


async def test_a_closed_lane_is_silent() -> None:  # rule 3
    lane, go = Lane(raised), threading.Event()
    said: list[object] = []
    lane.do(go.wait, said.append)
    lane.do(go.wait, said.append)
    closing = asyncio.ensure_future(lane.close(5.0))
    await asyncio.sleep(0)
    go.set()
    await closing
    assert not said
    patient = Lane(raised)
    go.clear()
    patient.do(go.wait, said.append)
    await patient.close(0.01)  # it waits for so long and no longer
    go.set()
