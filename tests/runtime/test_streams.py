"""Copies of the user's media for tools (contract 5.7)."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING

import pytest

from antiphon import Agent, FunctionTool, LiveRequestQueue, types
from antiphon.errors import QueueClosed
from antiphon.runtime.streams import COPIED_AUDIO, COPIED_IMAGES, InputStreams

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from antiphon.testing.live_server import Call
    from tests.runtime.conftest import Converse

SECOND = types.Blob(data=bytes(32_000), mime_type="audio/pcm;rate=16000")
IMAGE = types.Blob(data=b"\xff\xd8", mime_type="image/jpeg")


def chunk(number: int) -> types.Blob:
    return types.Blob(data=bytes([number, 0]) * 160, mime_type="audio/pcm;rate=16000")


def test_every_call_has_a_copy_of_what_comes_while_it_is_open() -> None:
    # contract 5.7: the same blobs, whose bytes are not copied
    streams = InputStreams()
    streams.give(chunk(0))
    with streams.open("a", "watch") as first:
        streams.give(one := chunk(1))
        with streams.open("b", "watch") as second:
            streams.give(two := chunk(2))
            assert len(streams) == 2
        streams.give(three := chunk(3))
    taken = [first.lanes.take(), first.lanes.take(), first.lanes.take()]
    assert all(got is sent for got, sent in zip(taken, (one, two, three), strict=True))
    assert second.lanes.take() is two
    assert len(streams) == 0


def test_what_a_tool_does_not_read_is_dropped_from_the_oldest(caplog: pytest.LogCaptureFixture) -> None:
    # contract 5.7: counted, and said once a call
    streams = InputStreams()
    with (
        caplog.at_level(logging.INFO, logger="antiphon"),
        streams.open("a", "watch") as copy,
    ):
        for _ in range(2):
            for _ in range(int(COPIED_AUDIO) + 5):
                streams.give(SECOND)
            assert copy.depth == COPIED_AUDIO
            while copy.lanes.take():
                pass
        assert copy.dropped == 10
        for _ in range(COPIED_IMAGES + 1):
            streams.give(IMAGE)
        assert (copy.depth, copy.dropped) == (COPIED_IMAGES, 11)
    assert [record.getMessage() for record in caplog.records] == [
        "The tool watch does not read all of its input_stream; the oldest is dropped."
    ]


async def test_the_end_of_the_call_ends_its_copy_for_threads_too() -> None:
    # contract 5.7
    streams = InputStreams()
    read: list[types.Blob | None] = []
    with streams.open("a", "watch") as copy:
        thread = threading.Thread(target=lambda: read.extend(each.blob for each in copy))
        thread.start()
        streams.give(IMAGE)
    thread.join(5)
    assert not thread.is_alive()
    assert read == [IMAGE]


async def test_when_the_user_leaves_every_copy_ends_also_later_ones() -> None:
    # contract 5.7
    streams = InputStreams()
    with streams.open("a", "watch") as copy:
        streams.give(IMAGE)
        streams.end()
        streams.give(IMAGE)
        assert [request.blob async for request in copy] == [IMAGE]
        with streams.open("b", "watch") as late, pytest.raises(QueueClosed):
            await late.get()
    streams.close("a")


def test_a_tool_may_close_its_own_copy() -> None:
    # contract 5.3: nobody else is hurt by it
    streams = InputStreams()
    with streams.open("a", "watch") as copy, streams.open("b", "watch") as other:
        copy.close()
        streams.give(IMAGE)
        assert (copy.closed, other.lanes.take()) == (True, IMAGE)


# In a conversation.


async def test_tools_see_and_hear_what_goes_to_the_model(converse: Converse) -> None:
    """contract 5.7: an asynchronous stream and a function in a thread, each with its own copy"""
    begun = threading.Semaphore(0)
    blobs: list[types.Blob | None] = []

    async def watch(input_stream: LiveRequestQueue) -> AsyncIterator[str]:
        """Says what it sees."""
        begun.release()
        async for request in input_stream:
            assert request.blob is not None
            if request.blob.mime_type == "image/jpeg":
                yield "a cat"

    def listen(input_stream: LiveRequestQueue) -> str:
        """Waits for a sound."""
        begun.release()
        for request in input_stream:
            blobs.append(request.blob)
            if len(blobs) == 2:
                break
        return "a sound"

    told: list[object] = []

    async def script(call: Call) -> None:
        await call.setup()
        assert await call.receive_text() == "watch and listen"
        await call.tool_call("watch", {})
        await call.tool_call("listen", {})
        for _ in range(2):
            [response] = await call.receive_tool_response()
            told.append(response["response"])
        assert len([m for m in call.connection.received if m.media]) == 3, "nothing is held back"
        await call.turn_complete()
        await call.closed()

    agent = Agent(name="helper", tools=[watch, listen])
    async with converse(script, agent=agent) as talk:
        talk.queue.send_realtime(IMAGE)  # before the calls: not theirs
        talk.queue.send_content("watch and listen")

        def send() -> None:
            begun.acquire(timeout=5)
            begun.acquire(timeout=5)
            talk.queue.send_realtime(IMAGE)
            talk.queue.send_realtime(SECOND)

        sender = threading.Thread(target=send)
        sender.start()
        await talk.until(lambda e: e.turn_complete)
        sender.join()
    assert sorted(str(each) for each in told) == ["{'result': 'a cat'}", "{'result': 'a sound'}"]
    assert blobs == [IMAGE, SECOND]


async def test_a_tool_that_does_not_read_holds_back_nothing(converse: Converse) -> None:
    """contract 5.3, 5.7"""
    begun = asyncio.Event()

    async def idle(input_stream: LiveRequestQueue) -> str:
        """Does not look."""
        begun.set()
        await asyncio.Event().wait()
        return "never"

    async def script(call: Call) -> None:
        await call.setup()
        await call.receive_text()
        await call.tool_call("idle", {})
        for _ in range(40):
            await call.receive_audio()
        await call.turn_complete()
        await call.closed()

    async with converse(script, agent=Agent(name="helper", tools=[FunctionTool(idle)])) as talk:
        talk.queue.send_content("go")
        async for event in talk.events():
            if event.get_function_calls():
                await begun.wait()
                for _ in range(40):
                    talk.queue.send_realtime(SECOND)
                    await asyncio.sleep(0)
            if event.turn_complete:
                break
    assert talk.queue.dropped == 0
