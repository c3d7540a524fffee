from __future__ import annotations

import asyncio

import pytest

from antiphon.client.inbox import CAPACITY, Inbox
from antiphon.client.items import Audio, Draining, Flush
from antiphon.runtime.tasks import TaskOwner

pytestmark = pytest.mark.virtual_clock


async def test_gives_what_came_then_ends() -> None:
    inbox = Inbox()
    inbox.put(Draining(1))
    inbox.put(Draining(2))
    inbox.end(None)
    inbox.end(ValueError("the first call counts"))
    assert [item async for item in inbox] == [Draining(1), Draining(2)]
    assert [item async for item in inbox] == []


async def test_raises_what_ended_it() -> None:
    inbox = Inbox()
    inbox.put(Draining(1))
    inbox.end(ValueError("lost"))
    assert await anext(inbox) == Draining(1)
    for _ in range(2):
        with pytest.raises(ValueError, match="lost"):
            await anext(inbox)


async def test_a_flush_takes_out_the_sound_of_its_answer_and_of_those_before() -> None:
    inbox = Inbox()
    sounds = [Audio(stream, 0, 0, 24000, b"") for stream in (1, 2, 3)]
    for sound in sounds[:2]:
        inbox.put(sound)
    inbox.put(Draining(1))
    inbox.put(sounds[2])
    inbox.flush(2)
    inbox.put(Flush(2))
    inbox.end(None)
    assert [item async for item in inbox] == [Draining(1), sounds[2], Flush(2)]


async def test_who_waits_is_woken() -> None:
    inbox = Inbox()
    crashes: list[BaseException] = []
    reading = TaskOwner(crashes.append).spawn(anext(inbox), "reading")
    await asyncio.sleep(1)
    inbox.put(Draining(1))
    assert await reading == Draining(1)


async def test_there_is_room_again_when_half_was_read() -> None:
    inbox = Inbox()
    for _ in range(CAPACITY - 1):
        inbox.put(Draining(1))
    await inbox.room()
    inbox.put(Draining(1))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await inbox.room()
    for _ in range(CAPACITY // 2):
        await anext(inbox)
    await inbox.room()


async def test_a_flush_makes_room() -> None:
    inbox = Inbox()
    for _ in range(CAPACITY):
        inbox.put(Audio(1, 0, 0, 24000, b""))
    inbox.flush(1)
    async with asyncio.timeout(1):
        await inbox.room()
