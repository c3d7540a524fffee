"""Reading events: woken by each and by the end, and cancelled without losing any (contract 1.3, 1.5)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from antiphon.core import drafts
from antiphon.runtime.channel import EventChannel
from antiphon.runtime.reading import Reading
from antiphon.runtime.taps import EventTap, Tap

if TYPE_CHECKING:
    from antiphon import Event


def whole(name: str = "") -> Event:
    event = drafts.text("helper", "la la", thought=False, partial=False)
    event.id = name
    return event


async def test_events_come_out_as_they_went_in_then_it_ends() -> None:
    """contract 1.3"""
    line = EventChannel(4)
    for name in "abc":
        assert line.put(whole(name))
    line.close()
    assert [event.id async for event in Reading(line)] == ["a", "b", "c"]
    assert [event.id async for event in Reading(line)] == []  # it stays ended


async def test_the_error_is_raised_after_the_events_that_did_arrive() -> None:
    """contract 1.5; and the first ending counts"""
    line = EventChannel(4)
    line.put(whole("a"))
    line.close(LookupError("first"))
    line.close(LookupError("second"))
    line.close()
    assert (await anext(Reading(line))).id == "a"
    for _ in range(2):
        with pytest.raises(LookupError, match="first"):
            await anext(Reading(line))


async def test_a_consumer_that_waits_is_woken_by_an_event_and_by_the_end() -> None:
    """contract 1.3: no polling"""
    line = EventChannel(4)

    async def read() -> list[str]:
        return [event.id async for event in Reading(line)]

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    line.put(whole("a"))
    await asyncio.sleep(0)
    assert len(line) == 0
    line.put(whole("b"))
    line.put(whole("c"))
    await asyncio.sleep(0)
    line.close()
    assert await reading == ["a", "b", "c"]


@pytest.mark.parametrize("put_first", [True, False])
async def test_a_consumer_cancelled_while_it_waits_takes_no_event_along(put_first: bool) -> None:
    """contract 1.5: neither when the event came in the same turn of the loop, nor afterwards"""
    line = EventChannel(4)
    reading = asyncio.ensure_future(anext(Reading(line)))
    await asyncio.sleep(0)
    if put_first:
        line.put(whole("a"))
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    if not put_first:
        line.put(whole("a"))
    assert (await anext(Reading(line))).id == "a"


async def test_where_there_is_a_tap_reading_is_waiting_for_the_end() -> None:
    told: list[Event] = []
    tap = EventTap(Tap(told.append))
    reading = asyncio.ensure_future(anext(Reading(tap)))
    tap.put(whole("a"))
    await asyncio.sleep(0)
    assert [event.id for event in told] == ["a"] and not reading.done()
    tap.close(LookupError("why"))
    with pytest.raises(LookupError, match="why"):
        await reading


async def test_one_that_stops_waiting_does_not_end_it_for_others() -> None:
    tap = EventTap(Tap(print))
    first, second = (asyncio.ensure_future(anext(Reading(tap), None)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    assert first.cancelled() and not second.done()
    tap.close()
    assert await second is None
