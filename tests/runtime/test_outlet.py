"""Where events go: stamped, bounded, and what must not be lost is not."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from antiphon import RunConfig
from antiphon.core import drafts
from antiphon.errors import ConsumerTooSlow

if TYPE_CHECKING:
    from antiphon import Event
    from antiphon.testing.live_server import Call
    from tests.runtime.conftest import Converse

FRAME = bytes(1920)  # 40 ms of PCM at 24 kHz
HELLO = {"role": "user", "parts": [{"text": "hello"}]}


def audio_of(event: Event) -> bytes | None:
    parts = event.content.parts if event.content else None
    return parts[0].inline_data.data if parts and parts[0].inline_data else None


async def test_every_event_has_its_id_and_the_invocations(converse: Converse) -> None:
    """contract 3.2"""
    async with converse(config=RunConfig(custom_metadata={"call": 7})) as talk:
        talk.queue.send_content("Hello")
        await talk.until(lambda e: e.turn_complete)
    ids = [event.id for event in talk.seen]
    assert len(set(ids)) == len(ids)
    assert len({event.invocation_id for event in talk.seen}) == 1
    assert talk.seen[0].invocation_id.startswith("e-")
    assert all(event.custom_metadata == {"call": 7} for event in talk.seen)  # contract 6.1


async def test_a_chunk_of_speech_is_an_event_like_any_other(converse: Converse) -> None:
    """contract 3.7"""

    async def script(call: Call) -> None:
        await call.setup()
        await call.receive_text()
        await call.audio(FRAME)
        await call.turn_complete()
        await call.closed()

    async with converse(script, config=RunConfig(custom_metadata={"call": 7})) as talk:
        talk.queue.send_content("go")
        await talk.until(lambda e: e.turn_complete)
    (spoken,) = [event for event in talk.seen if audio_of(event)]
    drafted = drafts.audio(spoken.author, FRAME, "audio/pcm;rate=24000")
    stamps = {"id", "invocation_id", "timestamp", "custom_metadata"}
    drafted.set_trusted(**{name: getattr(spoken, name) for name in stamps})
    assert spoken == drafted and spoken.model_fields_set == drafted.model_fields_set
    assert len({event.custom_metadata is spoken.custom_metadata for event in talk.seen}) == 2  # its own


async def test_an_application_that_does_not_read_costs_audio_and_not_the_connection(
    converse: Converse,
) -> None:
    """contract 3.11 (overloaded)"""

    async def script(call: Call) -> None:
        await call.setup()
        await call.receive_text()
        for _ in range(200):
            await call.audio(FRAME)
        await call.turn_complete()
        await call.closed()

    async with converse(script, config=RunConfig(event_buffer=32)) as talk:
        talk.queue.send_content("go")
        shed = chunks = 0
        async with aclosing(talk.events()) as events:
            async for event in events:
                if event.lifecycle and event.lifecycle.kind == "ready":
                    connection = await talk.server.connected(1)
                    await connection.until(lambda c: len(c.sent) >= 202)
                    for _ in range(50):
                        await asyncio.sleep(0)
                chunks += bool(audio_of(event))
                if event.lifecycle and event.lifecycle.kind == "overloaded":
                    shed = event.lifecycle.count or 0
                if event.turn_complete:
                    break
    assert shed > 0
    assert chunks + shed == 200
    assert talk.runner.metrics.snapshot()["overloaded"] > 0


async def test_events_that_must_not_be_lost_end_a_conversation_nobody_reads(converse: Converse) -> None:
    async def script(call: Call) -> None:
        await call.setup()
        await call.receive_text()
        for number in range(60):
            await call.send({"usageMetadata": {"totalTokenCount": number}})
        await call.closed()

    async with converse(script, config=RunConfig(event_buffer=32)) as talk:
        talk.queue.send_content("go")
        with pytest.raises(ConsumerTooSlow, match="event_buffer"):
            async for event in talk.events():
                if event.lifecycle and event.lifecycle.kind == "ready":
                    connection = await talk.server.connected(1)
                    await connection.until(lambda c: len(c.sent) >= 61)
                    for _ in range(50):
                        await asyncio.sleep(0)


async def test_facts_are_left_out_on_demand_and_counted_all_the_same(converse: Converse) -> None:
    """contract 3.11: what else an event says is yielded without them"""

    async def script(call: Call) -> None:
        await call.setup()
        await call.go_away(50.0)
        await call.closed()

    async with converse(script, config=RunConfig(lifecycle_events=False)) as talk:
        going = await talk.until(lambda event: event.go_away)
        assert going.lifecycle is None
        assert not [event for event in talk.seen if event.lifecycle]
        counted = talk.runner.metrics.snapshot()
    assert (counted["going_away"], counted["ended.user"], counted["live"]) == (1, 1, 0)
