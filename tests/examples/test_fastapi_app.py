"""`examples/fastapi_app.py`, served by uvicorn on loopback to real WebSocket clients."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import logging
import runpy
import socket
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from websockets.asyncio.client import connect

from antiphon.testing.live_server import (
    Close,
    Faults,
    Hold,
    Item,
    LiveServer,
    Prompt,
    Say,
    Timing,
    echo,
    silence,
    tone,
)
from tests.examples.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from websockets.asyncio.client import ClientConnection

    from tests.examples.conftest import RunScript

Json = dict[str, Any]

SCRIPT = "examples/fastapi_app.py"
PATIENCE = 5.0


class Served:
    """The example, running: `say` hello at `url`."""

    def __init__(self, names: Json, port: int) -> None:
        self.names = names
        self.port = port

    @contextlib.asynccontextmanager
    async def client(self, user: str = "ada", session: str = "s1", query: str = "") -> AsyncIterator[Client]:
        url = f"ws://127.0.0.1:{self.port}/ws/{user}/{session}?{query}"
        async with connect(url, proxy=None) as websocket:
            yield Client(websocket)


class Client:
    """What a browser does."""

    def __init__(self, websocket: ClientConnection) -> None:
        self.websocket = websocket

    async def say(self, **message: Any) -> None:
        await self.websocket.send(json.dumps(message))

    async def speak(self, seconds: float) -> None:
        """Speech, and silence enough for the model to notice its end, in chunks of 100 ms."""
        pcm = tone(seconds) + silence(1.5)
        for start in range(0, len(pcm), 3_200):
            await self.websocket.send(pcm[start : start + 3_200])

    async def until(self, found: Callable[[Json], object]) -> list[Json]:
        """The events up to the first that is looked for."""
        events: list[Json] = []
        async with asyncio.timeout(PATIENCE):
            while not (events and found(events[-1])):
                events.append(json.loads(await self.websocket.recv()))
        return events

    async def closed(self) -> int | None:
        async with asyncio.timeout(PATIENCE):
            await self.websocket.wait_closed()
        return self.websocket.close_code


@contextlib.asynccontextmanager
async def served(base_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    """The example as it is when started with this address in its environment, on a port of its own."""
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", base_url)
    monkeypatch.setenv("GOOGLE_API_KEY", "any")
    names = runpy.run_path(str(ROOT / SCRIPT))
    with socket.create_server(("127.0.0.1", 0)) as listening:  # clients may come before uvicorn is ready
        config = uvicorn.Config(names["app"], ws="websockets-sansio", lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield Served(names, listening.getsockname()[1])
        finally:
            server.should_exit = True
            await serving


@pytest.fixture
async def model() -> AsyncIterator[LiveServer]:
    async with LiveServer(reply=reply, timing=Timing.instant()) as server:
        yield server


@pytest.fixture
async def app(model: LiveServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    async with served(model.base_url, monkeypatch) as running:
        yield running


def reply(prompt: Prompt) -> Iterable[Item]:
    """As always, but a story lasts until somebody cuts in."""
    if prompt.text == "Tell me a story.":
        return [Say("Once upon a time "), Hold()]
    return echo(prompt)


def turn_complete(event: Json) -> bool:
    return bool(event.get("turnComplete"))


def words(events: list[Json], kind: str = "outputTranscription") -> str:
    """What was said, as the finished transcripts have it."""
    said = [event[kind] for event in events if kind in event]
    return " ".join(one["text"] for one in said if one.get("finished"))


def sound(events: list[Json]) -> bytes:
    blobs = [
        part["inlineData"]
        for event in events
        for part in event.get("content", {}).get("parts", [])
        if "inlineData" in part
    ]
    assert {blob["mimeType"] for blob in blobs} <= {"audio/pcm;rate=24000"}
    return b"".join(base64.urlsafe_b64decode(blob["data"]) for blob in blobs)


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


async def none_of_it_runs() -> None:
    """Returns once no task of the application or the runtime is left; uvicorn's own and the model's stay."""
    of_it = ("antiphon-", "converse", "upstream", "downstream", "run_asgi")
    tasks = {task for task in asyncio.all_tasks() if any(name in repr(task) for name in of_it)}
    if tasks:
        _, running = await asyncio.wait(tasks, timeout=PATIENCE)
        assert not running


async def test_typed_text_is_answered(app: Served, model: LiveServer) -> None:
    """contract 8.1, 3.1, 3.5; the session is made when there is none."""
    async with app.client() as client:
        await client.say(type="text", text="Hello")
        events = await client.until(turn_complete)

    assert words(events) == "You said: Hello"
    assert sound(events)
    assert sum(map(turn_complete, events)) == 1
    assert {event["author"] for event in events} == {"assistant"}
    session = await app.names["sessions"].get_session(app_name="voice_app", user_id="ada", session_id="s1")
    assert "Hello" in str(session.events) and "You said" in str(session.events)


async def test_speech_is_heard_and_transcribed(app: Served, model: LiveServer) -> None:
    """contract 8.1, 2.7, 3.7, 3.8: binary frames are 16 kHz PCM."""
    async with app.client() as client:
        await client.speak(0.6)
        events = await client.until(turn_complete)

    assert words(events, "inputTranscription") == "(0.6 seconds of speech)"
    assert words(events) == "I heard 0.6 seconds of speech."
    assert model.connections[0].audio == tone(0.6) + silence(1.5)


async def test_the_user_may_cut_in(app: Served, model: LiveServer) -> None:
    """contract 3.6"""
    async with app.client() as client:
        await client.say(type="text", text="Tell me a story.")
        await client.until(lambda event: "outputTranscription" in event)
        await client.speak(0.5)
        cut = await client.until(lambda event: event.get("interrupted"))
        answer = await client.until(lambda event: words([event]).startswith("I heard"))

    assert cut[-1]["author"] == "assistant"
    assert "I heard 0.5 seconds of speech." in words(answer)


async def test_images_and_spoken_json_reach_the_model(app: Served, model: LiveServer) -> None:
    """contract 8.1: `mimeType` for images, `mime_type` for audio, as the demo's client writes them."""
    picture, speech = b"\xff\xd8 a picture", tone(0.1)
    async with app.client() as client:
        await client.say(type="image", data=base64.b64encode(picture).decode(), mimeType="image/jpeg")
        await client.say(
            type="audio", data=base64.b64encode(speech).decode(), mime_type="audio/pcm;rate=16000"
        )
        connection = await model.connected(1)
        image = await connection.until(lambda c: next((m.media for m in c.received if m.media), None))
        await connection.until(lambda c: c.audio == speech)

    assert (image.data, image.mime_type) == (picture, "image/jpeg")


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        ("{nonsense", "Expecting property name"),
        ('"Hello"', 'A message is {"type": "text"'),
        ('{"type": "text"}', 'A message is {"type": "text"'),
        ('{"type": "dance"}', 'A message is {"type": "text"'),
        ('{"type": "image", "data": "%%%"}', "base64"),
        ('{"type": "image", "data": "AAAA", "mimeType": "image/gif"}', "'image/gif' cannot be sent"),
        ('{"type": "image", "data": "AAAA", "mimeType": 7}', "mime_type"),
        ('{"type": "activity_start"}', "automatic activity detection disabled"),
        (b"", "without data"),
    ],
)
async def test_a_bad_message_is_named_and_the_next_one_counts(
    app: Served, message: str | bytes, complaint: str
) -> None:
    """contract 8.3, 2.7, 6.4"""
    async with app.client() as client:
        await client.websocket.send(message)
        *_, error = await client.until(lambda event: "errorCode" in event)
        await client.say(type="text", text="Hello")
        events = await client.until(turn_complete)

    assert error["errorCode"] == "INVALID_REQUEST"
    assert complaint in error["errorMessage"]
    assert words(events) == "You said: Hello"


async def test_who_leaves_in_mid_answer_leaves_nothing_running(
    app: Served, model: LiveServer, caplog: pytest.LogCaptureFixture
) -> None:
    """contract 1.5, 1.6"""
    async with app.client() as client:
        await client.say(type="text", text="Tell me a story.")
        await client.until(lambda event: "outputTranscription" in event)

    assert await model.connections[0].closed() == 1000
    await none_of_it_runs()
    assert not errors(caplog)


async def test_who_vanishes_leaves_nothing_running(
    app: Served, model: LiveServer, caplog: pytest.LogCaptureFixture
) -> None:
    """contract 1.5, 1.6: no close frame, the connection is reset while much is being sent."""
    async with app.client() as client:
        await client.say(type="text", text="count to 2000")
        await client.until(lambda event: "outputTranscription" in event)
        client.websocket.transport.abort()

    assert await model.connections[0].closed() == 1000
    await none_of_it_runs()
    assert not errors(caplog)


async def test_close_ends_the_conversation(app: Served, model: LiveServer) -> None:
    """contract 8.1, 2.4: what was sent before is delivered."""
    async with app.client() as client:
        await client.say(type="text", text="Hello")
        await client.until(turn_complete)
        await client.say(type="close")
        assert await client.closed() == 1000

    assert await model.connections[0].closed() == 1000


async def test_what_comes_after_close_is_no_error(app: Served, model: LiveServer) -> None:
    """contract 2.4: a microphone is still on when its user hangs up."""
    async with app.client() as client:
        await client.say(type="close")
        await client.speak(0.2)
        assert not [event async for event in client.websocket if "errorCode" in event]
        assert await client.closed() == 1000


async def test_two_users_talk_at_once(app: Served, model: LiveServer) -> None:
    """contract 1.2: each hears the answer to their own words, in a session of their own."""
    async with app.client("ada", "s") as ada, app.client("bob", "s") as bob:
        await ada.say(type="text", text="I am Ada.")
        await bob.say(type="text", text="I am Bob.")
        hers, his = await asyncio.gather(ada.until(turn_complete), bob.until(turn_complete))

    assert (words(hers), words(his)) == ("You said: I am Ada.", "You said: I am Bob.")
    assert {event["invocationId"] for event in hers}.isdisjoint(event["invocationId"] for event in his)
    assert len(model.connections) == 2


async def test_the_query_says_how_to_talk(app: Served, model: LiveServer) -> None:
    """contract 8.1"""
    async with app.client(query="proactivity=true") as client:
        await client.say(type="text", text="Hello")
        await client.until(turn_complete)

    setup = model.connections[0].setup
    assert setup is not None
    assert setup["proactivity"] == {"proactiveAudio": True}


async def test_text_from_a_model_that_writes(model: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """contract 8.1, 3.4"""
    monkeypatch.setenv("AGENT_MODEL", "gemini-live-2.5-flash")
    async with served(model.base_url, monkeypatch) as app, app.client(query="modality=TEXT") as client:
        await client.say(type="text", text="Hello")
        events = await client.until(turn_complete)

    whole = [event for event in events if "content" in event and not event.get("partial")]
    assert [event["content"]["parts"] for event in whole] == [[{"text": "You said: Hello"}]]


async def test_what_the_model_cannot_do_is_said_before_the_end(app: Served, model: LiveServer) -> None:
    """contract 6.2"""
    async with app.client(query="modality=TEXT") as client:
        *_, error = await client.until(lambda event: "errorCode" in event)
        assert await client.closed() == 1011

    assert error["errorCode"] == "UnsupportedByModel"
    assert "TEXT" in error["errorMessage"]
    assert not model.connections


async def test_a_refused_connection_is_told_before_the_end(app: Served, model: LiveServer) -> None:
    """contract 1.5, 7.4"""
    model.faults.at = {"text": Close(1007, "API key not valid. Please pass a valid API key.")}
    async with app.client() as client:
        await client.say(type="text", text="Hello")
        *_, error = await client.until(lambda event: "errorCode" in event)
        assert await client.closed() == 1011

    assert error["errorCode"] == "AuthenticationRefused"
    assert "GOOGLE_API_KEY" in error["errorMessage"]
    await none_of_it_runs()


async def test_a_dropped_connection_is_replaced_unseen(app: Served, model: LiveServer) -> None:
    """contract 7.1, 7.3: the question is answered on the next connection."""
    model.faults.on(1, Faults(at={"setup_complete": Close(1011)}))
    async with app.client() as client:
        await client.say(type="text", text="Hello")
        events = await client.until(turn_complete)

    assert words(events) == "You said: Hello"
    assert len(model.connections) == 2


async def test_without_a_key_it_says_what_to_set(run_script: RunScript) -> None:
    ran = await run_script(SCRIPT)

    assert ran.code == 1
    assert "set GOOGLE_API_KEY" in ran.err and ran.err.count("\n") == 1
