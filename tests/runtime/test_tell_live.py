"""Contract 1.3, 1.5: a conversation whose events are told instead of read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace import TracerProvider

from antiphon import Agent, InMemoryRunner, LiveRequestQueue, Telemetry
from antiphon.core.signals import GenerationComplete, ModelAudio, ModelText, TurnComplete
from tests.runtime.near_model import NearModel, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon import Event

SOUND = ModelAudio(bytes(1920), "audio/pcm;rate=24000")


async def told(
    model: NearModel,
    queue: LiveRequestQueue,
    tell: Callable[[Event], object],
    telemetry: Telemetry | None = None,
) -> None:
    agent = Agent(name="assistant", model=model, instruction="Be brief.")
    runner = InMemoryRunner(agent, app_name="app", telemetry=telemetry)
    session = await runner.session_service.create_session(app_name="app", user_id="ann")
    await runner.tell_live(tell, user_id="ann", session_id=session.id, live_request_queue=queue)


@pytest.mark.parametrize("telemetry", [None, Telemetry(tracer_provider=TracerProvider())])
async def test_events_are_told_in_the_callback_that_brings_them(telemetry: Telemetry | None) -> None:
    model, queue = NearModel(), LiveRequestQueue()
    events: list[Event] = []
    running = asyncio.ensure_future(told(model, queue, events.append, telemetry))
    await until(lambda: bool(model.connections))
    await until(lambda: any(each.lifecycle and each.lifecycle.kind == "ready" for each in events))
    before = len(events)
    model.connections[0].listener.received([SOUND, ModelText("Hello.")])
    assert len(events) == before + 2  # and the event loop has not gone on
    model.connections[0].listener.received([GenerationComplete(), TurnComplete()])
    queue.close()
    await running
    assert events[-1].lifecycle is not None and events[-1].lifecycle.kind == "closed"


async def test_an_error_of_the_applications_ends_it() -> None:
    model, queue = NearModel(), LiveRequestQueue()
    sounds: list[Event] = []

    def tell(event: Event) -> None:
        if event.content is not None:
            sounds.append(event)
            raise LookupError("nobody is here")

    running = asyncio.ensure_future(told(model, queue, tell))
    await until(lambda: bool(model.connections) and model.connections[0].setup is not None)
    model.connections[0].listener.received([SOUND, SOUND])
    with pytest.raises(LookupError, match="nobody"):
        await running
    assert len(sounds) == 1
    assert model.connections[0].closed


async def test_cancelled_it_leaves_nothing_open() -> None:
    """contract 1.6"""
    model, queue = NearModel(), LiveRequestQueue()
    running = asyncio.ensure_future(told(model, queue, lambda event: None))
    await until(lambda: bool(model.connections))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert model.connections[0].closed
