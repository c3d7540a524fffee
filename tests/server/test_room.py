"""One live conversation and its clients, without sockets (protocol 3 to 6)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from antiphon import RunConfig
from antiphon.core.messages import ActivityEnded, ActivityStarted, Media, StreamEnded, Turn
from antiphon.core.signals import ModelAudio, ModelText, TurnComplete
from antiphon.requests import LiveRequest
from antiphon.server import messages
from antiphon.server.attachments import PlainSeat
from antiphon.server.limits import ServerLimits
from antiphon.server.messages import JPEG, PCM, PNG
from antiphon.server.wishes import Wishes
from antiphon.types import Content, Part
from tests.runtime.near_model import until
from tests.server.talking import Line, errors, talking


async def test_everything_a_client_says_reaches_the_model() -> None:
    """protocol 2.3, 3.2"""
    async with talking(config=Wishes(manual_activity=True).granted(RunConfig())) as talk:
        seat = talk.join()
        await talk.room.begun
        for message in (
            messages.Text(1, "Hello"),
            messages.ActivityStart(2),
            messages.Media(PCM, b"\1\0", 16_000),
            messages.Media(JPEG, b"jpeg"),
            messages.Media(PNG, b"png"),
            messages.ActivityEnd(3),
        ):
            talk.room.hear_v1(seat, message)
        await until(lambda: len(talk.heard) == 6)
    assert [type(each) for each in talk.heard] == [Turn, ActivityStarted, Media, Media, Media, ActivityEnded]
    types = [each.blob.mime_type for each in talk.heard if isinstance(each, Media)]
    assert types == ["audio/pcm;rate=16000", "image/jpeg", "image/png"]


async def test_the_microphone_is_off() -> None:
    """protocol 3.2"""
    async with talking() as talk:
        seat = talk.join()
        await talk.room.begun
        talk.room.hear_v1(seat, messages.AudioEnd(1))
        await until(lambda: talk.heard)
        assert isinstance(talk.heard[0], StreamEnded)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (messages.Media(PCM, b"\1\0", 16_000), "unsupported"),
        (messages.Media(JPEG, b"jpeg"), "unsupported"),
        (messages.ActivityStart(1), "unsupported"),
        (messages.ActivityEnd(1), "unsupported"),
        (messages.Text(1, ""), "bad_message"),
        (messages.ClientHello(), "bad_message"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_what_cannot_be_done_is_refused(message: Any, code: str) -> None:
    """protocol 7.1"""
    async with talking(audio_input=False, video_input=False) as talk:
        seat = talk.join()
        await talk.room.begun
        talk.room.hear_v1(seat, message)
        assert errors(seat) == [code]
        assert not talk.heard


async def test_a_watcher_is_told_once_that_nobody_hears_it() -> None:
    """protocol 6.4, 7.1: media of a client that has just lost the floor is still on its way."""
    async with talking() as talk:
        talk.join("speaker")
        watcher = talk.join("watcher", watch=True)
        await talk.room.begun
        for _ in range(5):
            talk.room.hear_v1(watcher, messages.Media(PCM, b"\1\0", 16_000))
        talk.room.hear_v1(watcher, messages.Playback(1, 100))
        assert errors(watcher) == ["not_speaker"]
        talk.room.hear_v1(watcher, messages.Text(1, "Me!"))
        talk.room.hear_v1(watcher, messages.Stop(2, 1, 0))
        assert errors(watcher) == ["not_speaker", "not_speaker"]
        plain = PlainSeat("plain", 5.0)
        talk.room.clients.join(plain, watch=True)
        request = LiveRequest(content=Content(role="user", parts=[Part(text="Hello")]))
        talk.room.hear(plain, request)
        assert "NOT_SPEAKER" in str(plain.take()) and not talk.heard
        talk.room.clients.take_floor(plain)
        talk.room.hear(plain, request)
        await until(lambda: talk.heard)


async def test_a_model_that_takes_nothing_ends_in_too_fast() -> None:
    """protocol 5.1: what waits for the model is bounded as well."""
    async with talking(ServerLimits(control_messages=16)) as talk:
        seat = talk.join()
        await talk.room.begun
        talk.model.connections[0].is_writable = False
        for n in range(1, 30):
            talk.room.hear_v1(seat, messages.Text(n, "Hello"))
        assert "too_fast" in errors(seat) and talk.room.queue.depth <= 18
        talk.model.connections[0].is_writable = True
        talk.model.connections[0].listener.writable()


async def test_who_does_not_read_loses_its_seat() -> None:
    """protocol 7.2: 1008, and the others go on."""
    async with talking(ServerLimits(control_messages=16)) as talk:
        reads, silent = talk.join("reads"), talk.join("silent", watch=True)
        await talk.room.begun
        for _ in range(20):
            talk.said(ModelText("x"), TurnComplete())
            await asyncio.sleep(0)
            errors(reads)
            reads.acknowledge(10_000)
        await until(lambda: talk.forgotten)
        assert talk.forgotten == [silent] and silent.socket.cuts == [1008]  # type: ignore[union-attr]
        assert talk.room.clients.seats == {"reads": reads}


@pytest.mark.virtual_clock
async def test_grace() -> None:
    """protocol 6.1: who comes back in time has lost nothing, and its timer is gone."""
    async with talking(ServerLimits(grace=10)) as talk:
        seat = talk.join()
        await talk.room.begun
        for _ in range(3):
            talk.room.leave(seat, for_good=False)
            await asyncio.sleep(9)
            talk.room.come_back(seat, messages.ClientHello(resume="a"))
            seat.socket = Line()
        talk.room.leave(seat, for_good=False)
        await asyncio.sleep(11)
        assert talk.forgotten == [seat] and talk.room.closing


async def test_without_grace_a_client_is_gone_at_once() -> None:
    async with talking(ServerLimits(grace=0)) as talk:
        seat = talk.join()
        await talk.room.begun
        talk.room.leave(seat, for_good=False)
        assert talk.forgotten == [seat] and talk.room.closing


async def test_who_comes_back_may_choose_to_watch() -> None:
    """protocol 6.4"""
    async with talking() as talk:
        seat = talk.join()
        line = seat.socket
        await talk.room.begun
        talk.room.come_back(seat, messages.ClientHello(resume="a", watch=True))
        assert not seat.speaks and talk.room.clients.speaker is None
        assert line.cuts == [4001]  # type: ignore[union-attr]


async def test_what_is_said_to_a_conversation_that_ends_is_refused() -> None:
    async with talking() as talk:
        seat = talk.join()
        await talk.room.begun
        talk.room.close("closed")
        talk.room.close("again")
        talk.room.hear_v1(seat, messages.Text(1, "Hello"))
        talk.room.hear_v1(seat, messages.Playback(1, 100))
        assert "unavailable" in errors(seat)


async def test_a_stop_of_an_older_answer_does_nothing() -> None:
    """protocol 3.2"""
    async with talking() as talk:
        seat = talk.join()
        await talk.room.begun
        chunk = ModelAudio(bytes(4_800), "audio/pcm;rate=24000")
        talk.said(chunk, TurnComplete(), chunk)
        await until(lambda: talk.room.clients.answers.turn(2) is not None)
        talk.room.hear_v1(seat, messages.Stop(1, 1, 0))
        assert talk.room.clients.answers.left()
        talk.room.hear_v1(seat, messages.Stop(2, 2, 0))
        assert not talk.room.clients.answers.left()
