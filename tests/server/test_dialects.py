"""What clients say and are told, by real clients; for the plain protocols see their codecs' tests."""

from __future__ import annotations

import json
from typing import Any

from antiphon.core.messages import Media, Turn
from antiphon.core.signals import ModelInterrupted, TurnComplete
from tests.runtime.near_model import until
from tests.server.conversing import CHUNK, Frame, served


def turn_complete(came: Any) -> bool:
    return isinstance(came, dict) and bool((came.get("event") or came).get("turnComplete"))


def is_frame(came: Any) -> bool:
    return isinstance(came, Frame)


def kind(name: str, **fields: Any) -> Any:
    return lambda came: isinstance(came, dict) and came["type"] == name and fields.items() <= came.items()


def text_of(came: list[Any]) -> list[str]:
    """The whole texts among what came."""
    events = [each["event"] for each in came if isinstance(each, dict) and each.get("type") == "event"]
    return [
        part["text"]
        for event in events
        if event.get("partial") is False
        for part in event.get("content", {}).get("parts", [])
        if "text" in part
    ]


async def test_a_conversation() -> None:
    """protocol 1.3, 2.1, 2.2, 3.1, 4.1, 4.2"""
    async with served() as app, app.v1() as client:
        hello = await client.greet()
        n = await client.tell("text", text="Hello")
        received = await client.until(kind("received"))
        await app.says(CHUNK, CHUNK, TurnComplete())
        came = await client.until(turn_complete)
        connection = await app.connection()

    assert hello["protocol"] == "antiphon.v1" and hello["role"] == "speaker" and not hello["resumed"]
    assert (hello["user"], hello["session"], hello["agent"]) == ("ada", "s1", "assistant")
    assert hello["capabilities"]["output_rate"] == 24_000 and hello["limits"]["grace"] == hello["grace"] == 60
    assert received[-1] == {"type": "received", "n": n}
    assert [type(message) for message in connection.heard] == [Turn]
    assert [(frame.kind, frame.rate, frame.stream, frame.number) for frame in client.frames] == [
        (1, 24_000, 1, 0),
        (1, 24_000, 1, 1),
    ]
    assert all(frame.data == CHUNK for frame in client.frames)
    assert client.sequence == list(range(1, len(client.sequence) + 1))
    assert not any("inlineData" in json.dumps(each) for each in came if isinstance(each, dict))


async def test_speech_goes_up_at_its_rate() -> None:
    """protocol 2.3"""
    async with served() as app, app.v1() as client:
        await client.greet()
        await client.speak(b"\x01\x00" * 800, rate=48_000)
        connection = await app.connection()
        await until(lambda: connection.heard)

    (heard,) = connection.heard
    assert isinstance(heard, Media)
    assert heard.blob.mime_type == "audio/pcm;rate=48000" and heard.blob.data == b"\x01\x00" * 800


async def test_an_interruption_flushes_first() -> None:
    """protocol 4.3, contract 8.5"""
    async with served() as app, app.v1() as client:
        await client.greet()
        await app.says(CHUNK, CHUNK)
        await client.until(lambda came: is_frame(came) and came.number == 1)
        await app.says(ModelInterrupted(), TurnComplete(), CHUNK)
        came = await client.until(is_frame)

    kinds = [
        each["type"] if each["type"] != "event" else each["event"].get("interrupted")
        for each in came
        if isinstance(each, dict)
    ]
    assert kinds[:2] == ["flush", True]
    assert client.of("flush") == [{"type": "flush", "seq": client.of("flush")[0]["seq"], "stream": 1}]
    assert (client.frames[-1].stream, client.frames[-1].number) == (2, 0)


async def test_playback_reports_reach_the_record() -> None:
    """protocol 3.3, contract 4.5: what was not played was not heard."""
    from antiphon.core.signals import OutputTranscript

    async with served() as app, app.v1() as client:
        await client.greet()
        for word in ("one ", "two ", "three "):
            await app.says(OutputTranscript(word), *[CHUNK] * 10)
        await client.until(lambda came: is_frame(came) and came.number == 29)
        await client.say(type="playback", stream=1, played=2_100)
        await client.tell("text", text="?")  # after it the report has arrived
        await client.until(kind("received"))
        await app.says(ModelInterrupted(), TurnComplete())
        came = await client.until(turn_complete)

    said = [
        each["event"]["outputTranscription"]
        for each in came
        if "outputTranscription" in each.get("event", {})
    ]
    assert [each["text"] for each in said if each.get("finished")] == ["one two"]


async def test_what_is_sent_again_is_heard_once() -> None:
    """protocol 3.1"""
    async with served() as app:
        async with app.v1() as client:
            token = (await client.greet())["resume"]
            await client.tell("text", text="Once")
            await client.until(kind("received"))
            await client.break_off()
        async with app.v1() as again:
            hello = await again.greet(resume=token)
            await again.tell("text", text="Once")
            await again.tell("text", text="Twice")
            await again.until(kind("received", n=2))
        connection = await app.connection()

    assert hello["received"] == 1
    assert [message.content.parts[0].text for message in connection.heard] == ["Once", "Twice"]  # type: ignore[index, union-attr]


async def test_one_malformed_message_is_an_error() -> None:
    """protocol 7.1, 1.4"""
    async with served() as app, app.v1() as client:
        await client.greet()
        await client.say(type="text", n=1)
        await client.say(type="dance", n=2)
        await client.say(type="text", n=1, text="Fine.", colour="blue")
        await client.until(kind("received", n=1))
        await client.say(type="activity_start", n=2)
        await client.until(kind("error", n=2, code="unsupported"))
    assert [(each["code"], each.get("n")) for each in client.of("error")][:2] == [
        ("bad_message", 1),
        ("unknown_type", 2),
    ]


async def test_the_user_stops_an_answer() -> None:
    """protocol 3.2: it is cut off for the user, and what the model still says of it is dropped."""
    async with served() as app, app.v1() as client:
        await client.greet()
        await app.says(CHUNK, CHUNK)
        await client.until(lambda came: is_frame(came) and came.number == 1)
        await client.tell("stop", stream=1, played=100)
        await client.until(kind("flush", stream=1))
        cut = await client.until(turn_complete)
        await app.says(CHUNK, TurnComplete(), "Next.")
        came = await client.until(lambda came: text_of([came]) == ["Next."])
        await client.tell("stop", stream=1, played=100)  # too late: nothing
        await client.until(kind("received", n=2))
    assert cut[0]["event"]["interrupted"] and cut[-1]["event"]["interrupted"]
    assert len(client.frames) == 2 and not any(is_frame(each) for each in came)
    assert len(client.of("flush")) == 1
