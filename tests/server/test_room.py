"""One live conversation and its clients, without sockets (protocol 3 to 6)."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from antiphon import Agent, InMemoryRunner, RunConfig
from antiphon.capabilities import Capabilities
from antiphon.core.messages import ActivityEnded, ActivityStarted, Media, StreamEnded, Turn
from antiphon.core.signals import ModelAudio, ModelText, TurnComplete
from antiphon.errors import ModelNotFound, QuotaExceeded
from antiphon.requests import LiveRequest
from antiphon.server import messages
from antiphon.server.attachments import PlainSeat, V1Seat
from antiphon.server.limits import ServerLimits
from antiphon.server.messages import JPEG, PCM, PNG
from antiphon.server.room import BEGINNING, Place, Room
from antiphon.server.wire import decode_down
from antiphon.server.wishes import Wishes
from antiphon.types import Content, Part
from tests.runtime.near_model import NearModel, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from antiphon.server.attachments import Seat


class Line:
    """A socket that remembers what it was told to do."""

    def __init__(self) -> None:
        self.cuts: list[int] = []

    def rouse(self) -> None:
        pass

    def give(self, frame: object) -> bool:
        return False

    def cut(self, code: int, reason: str) -> None:
        self.cuts.append(code)


class Talk:
    """A room, its model and what became of its clients."""

    def __init__(self, room: Room, model: NearModel) -> None:
        self.room = room
        self.model = model
        self.forgotten: list[Seat] = []

    def join(self, token: str = "a", *, watch: bool = False) -> V1Seat:
        seat = V1Seat(token, 5.0)
        self.room.clients.join(seat, watch=watch)
        seat.socket = Line()
        return seat

    def said(self, *signals: Any) -> None:
        self.model.connections[0].listener.received(signals)

    @property
    def heard(self) -> list[Any]:
        return self.model.connections[0].heard


def errors(seat: Seat) -> list[str]:
    found = []
    while (frame := seat.take()) is not None:
        match decode_down(frame):
            case messages.Error(code):
                found.append(code)
    return found


@asynccontextmanager
async def talking(
    limits: ServerLimits | None = None,
    model: NearModel | None = None,
    config: RunConfig | None = None,
    **can: Any,
) -> AsyncIterator[Talk]:
    model = model or NearModel()
    runner = InMemoryRunner(Agent(name="assistant", model=model, instruction=""), app_name="app")
    await runner.session_service.create_session(app_name="app", user_id="ada", session_id="s")
    forgotten: list[Seat] = []
    room = Room(
        Place("ada", "s"),
        config or RunConfig(),
        replace(Capabilities(), **can),
        limits or ServerLimits(),
        lambda room, seat: forgotten.append(seat),
    )
    talk = Talk(room, model)
    talk.forgotten = forgotten
    running = asyncio.create_task(room.run(runner))
    try:
        yield talk
    finally:
        room.close("test")
        await running
        room.forget_absent()


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


async def test_a_failure_is_told() -> None:
    """protocol 7.2: 1011"""
    model = NearModel()
    model.connect_error = ModelNotFound("There is no such model.", code=1008)
    async with talking(model=model) as talk:
        seat = talk.join()
        await talk.room.over
        assert seat.ending == (1011, "There is no such model.")
        assert errors(seat) == ["unavailable"]
        assert talk.room.closing and not talk.room.refused


async def test_a_mistake_of_ours_is_logged_and_told(caplog: pytest.LogCaptureFixture) -> None:
    async with talking() as talk:
        seat = talk.join()
        await talk.room.begun
        seat.tell = None  # type: ignore[assignment, method-assign]
        talk.said(ModelText("x"))
        await talk.room.over
        assert seat.ending is not None and seat.ending[0] == 1011
    assert "TypeError" in caplog.text


async def test_a_quota_is_told_apart() -> None:
    """contract 8.6"""
    model = NearModel()
    model.connect_error = QuotaExceeded("no more")
    async with talking(model=model) as talk:
        with pytest.raises(QuotaExceeded):
            await talk.room.begun
        assert talk.room.refused


@pytest.mark.virtual_clock
async def test_a_model_that_takes_long_is_not_waited_for() -> None:
    model = NearModel(connecting=lambda: asyncio.sleep(BEGINNING * 2))
    async with talking(model=model, config=RunConfig(connect_timeout=60)) as talk:
        began = asyncio.get_running_loop().time()
        await talk.room.begun
        assert asyncio.get_running_loop().time() - began == pytest.approx(BEGINNING)


async def test_without_lifecycle_events_nothing_tells_that_the_model_is_there() -> None:
    model = NearModel(connecting=asyncio.Event().wait)
    async with talking(model=model, config=RunConfig(lifecycle_events=False)) as talk:
        talk.join()
        await talk.room.begun
        assert not model.connections


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
