"""A conversation may end at any moment, and nothing is left of it."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from antiphon import Agent, InMemoryRunner, LiveRequestQueue, RunConfig
from antiphon.core.messages import ActivityEnded, ActivityStarted, Media, StreamEnded, ToolResults, Turn
from antiphon.models import Setup
from antiphon.models.local.voice import LocalVoice
from antiphon.testing.live_speech import silence
from antiphon.types import Blob, Content, FunctionCall, FunctionResponse, Part
from tests.models.listening import Ears
from tests.models.local.parts import Brain, Prompted, memory, said_in, spoken

if TYPE_CHECKING:
    from antiphon.models import ModelConnection
    from tests.models.local.parts import Answer

pytestmark = pytest.mark.virtual_clock

PCM = "audio/pcm;rate=16000"
LONG = " ".join(f"This is sentence number {number}." for number in range(40))
PHASES = ("connected", "begun", "ready", "heard", "thinking", "speaking", "held", "calling", "failing")


def think(last: Content) -> Answer:
    return FunctionCall(name="look", args={}) if "look" in said_in(last) else LONG


def model_for(phase: str) -> LocalVoice:
    slow = phase == "thinking"
    brain = Brain(think, pause=(lambda: asyncio.sleep(9.0)) if slow else None)
    return LocalVoice(brain=brain, recognizer=Prompted(OSError("gone") if phase == "failing" else "mhm"))


def turn(text: str) -> Turn:
    return Turn(Content(role="user", parts=[Part(text=text)]))


async def reach(phase: str, connection: ModelConnection, ears: Ears, run: RunConfig) -> None:
    if phase == "connected":
        return
    connection.begin(Setup(run))
    if phase == "begun":
        return
    await ears.ready()
    if phase in ("thinking", "speaking", "held", "calling"):
        connection.send(turn("look" if phase == "calling" else "hello"))
        await asyncio.sleep(1.0)
    if phase in ("heard", "held", "failing"):
        pcm = silence(0.4) + spoken("hello there") + (silence(2.0) if phase == "failing" else b"")
        connection.send(Media(Blob(data=pcm, mime_type=PCM)))
        await asyncio.sleep(0.2)


@pytest.mark.parametrize("phase", PHASES)
async def test_it_is_closed_in_every_phase(phase: str) -> None:  # contract 1.5, 1.6
    ears, run = Ears(), RunConfig()
    connection = await model_for(phase).connect(run, ears)
    await reach(phase, connection, ears, run)
    closing = [asyncio.ensure_future(connection.close()) for _ in range(2)]
    await asyncio.sleep(0)
    everything: list[Any] = [turn("late"), Media(Blob(data=b"\0", mime_type=PCM)), StreamEnded()]
    everything += [ActivityStarted(), ActivityEnded(), ToolResults((FunctionResponse(id="x", name="look"),))]
    for message in everything:
        connection.send(message)
    await asyncio.gather(*closing)
    said = len(ears.said)
    await asyncio.sleep(60.0)
    assert ears.losses == [(None, ())] and len(ears.said) == said


@pytest.mark.parametrize("phase", PHASES)
async def test_closing_is_cancelled_in_every_phase(phase: str) -> None:  # contract 1.6
    ears, run = Ears(), RunConfig()
    connection = await model_for(phase).connect(run, ears)
    await reach(phase, connection, ears, run)
    closing = asyncio.ensure_future(connection.close())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.wait([closing])
    assert ears.losses == [(None, ())]
    await connection.close()
    assert len(ears.losses) == 1


async def test_connecting_is_cancelled() -> None:
    for turns in range(6):
        dialling = asyncio.ensure_future(model_for("ready").connect(RunConfig(), Ears()))
        for _ in range(turns):
            await asyncio.sleep(0)
        dialling.cancel()
        await asyncio.wait([dialling])
        if not dialling.cancelled():
            await dialling.result().close()


@pytest.mark.parametrize("after", [0.0, 0.3, 1.0, 2.0, 3.0, 5.0])
async def test_a_run_is_cancelled_at_any_time(after: float) -> None:  # contract 1.6
    runner = InMemoryRunner(Agent(name="guide", model=model_for("held")), app_name="test")
    await runner.session_service.create_session(app_name="test", user_id="u", session_id="s")
    queue = LiveRequestQueue()
    queue.send_content("hello")

    async def listen() -> None:
        async for _ in runner.run_live(user_id="u", session_id="s", live_request_queue=queue):
            pass

    async def speak() -> None:
        await asyncio.sleep(1.5)
        pcm = spoken("hello there")
        for at in range(0, len(pcm), 1_280):
            queue.send_realtime(Blob(data=pcm[at : at + 1_280], mime_type=PCM))
            await asyncio.sleep(0.04)

    tasks = [asyncio.ensure_future(listen()), asyncio.ensure_future(speak())]
    await asyncio.sleep(after)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert tasks[0].cancelled()


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="this system does not list descriptors")
async def test_hundreds_of_conversations_leave_nothing() -> None:
    model = LocalVoice(brain=Brain(lambda last: "Hello."))  # the default recogniser, detector and voice
    said = Media(Blob(data=silence(0.2) + spoken("hello there"), mime_type=PCM))

    async def conversation() -> None:
        ears, run = Ears(), RunConfig()
        connection = await model.connect(run, ears)
        connection.begin(Setup(run, instruction="Say hello."))
        await ears.ready()
        connection.send(said)
        connection.send(turn("hello"))
        await asyncio.sleep(0.1)
        await connection.close()
        assert ears.losses == [(None, ())]

    for _ in range(10):
        await asyncio.gather(*(conversation() for _ in range(4)))
    threads, files, bytes_used = threading.active_count(), descriptors(), memory()
    for _ in range(50):
        await asyncio.gather(*(conversation() for _ in range(4)))
    assert threading.active_count() <= threads + 8 and descriptors() <= files + 2
    assert memory() - bytes_used < 24e6
