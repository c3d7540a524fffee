"""The plain protocol (contract 8.1): its codec, and a client that knows the contract's words only."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from antiphon.core.messages import Media, Turn
from antiphon.core.signals import ModelInterrupted, TurnComplete
from antiphon.server.limits import ServerLimits
from antiphon.server.plain import decode
from antiphon.server.wire import Malformed
from antiphon.types import Blob, Modality
from tests.runtime.near_model import until
from tests.server.conversing import CHUNK, served

if TYPE_CHECKING:
    from antiphon.requests import LiveRequest

PCM = b"\x01\x00" * 1_600
JPEG = b"\xff\xd8 a picture"


def said(**message: Any) -> LiveRequest:
    return decode(json.dumps(message))


def test_what_clients_say() -> None:
    assert decode(PCM).blob == Blob(data=PCM, mime_type="audio/pcm;rate=16000")
    content = said(type="text", text="Hello").content
    assert content and content.parts and content.parts[0].text == "Hello" and content.role == "user"
    assert said(type="activity_start").activity_start and said(type="activity_end").activity_end
    assert said(type="close").close


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("name", ["mimeType", "mime_type"])
def test_media_in_json(encode: Any, name: str) -> None:
    data = bytes(range(256))
    written = encode(data).decode()
    assert said(type="image", data=written, **{name: "image/png"}).blob == Blob(
        data=data, mime_type="image/png"
    )
    assert said(type="audio", data=written.rstrip("="), **{name: "audio/pcm;rate=8000"}).blob == Blob(
        data=data, mime_type="audio/pcm;rate=8000"
    )
    image, audio = said(type="image", data=written).blob, said(type="audio", data=written).blob
    assert image and image.mime_type == "image/jpeg" and audio and audio.mime_type == "audio/pcm;rate=16000"


@pytest.mark.parametrize(
    "frame",
    [
        *(
            "",
            "{",
            "[]",
            "1",
            "{}",
            '{"type":1}',
            '{"type":"dance"}',
            '{"type":"text"}',
            '{"type":"text","text":1}',
        ),
        *('{"type":"text","text":""}', '{"type":"text","text":"\\ud800"}', '{"type":"image","data":"!"}'),
        *('{"type":"image","data":""}', '{"type":"image","data":"QUJD","mimeType":1}', "[" * 100_000, b""),
        *('{"type":"image","data":"QUJD","mimeType":"video/mp4"}', '{"type":"audio","data":"é"}', "NaN"),
    ],
)
def test_what_is_no_message_is_refused_by_name(frame: str | bytes) -> None:
    """contract 8.3"""
    with pytest.raises(Malformed) as refused:
        decode(frame)
    assert refused.value.code == "bad_message" and str(refused.value)


def turn_complete(event: Any) -> bool:
    return bool(event.get("turnComplete"))


async def test_an_independent_client_holds_a_conversation() -> None:
    """contract 8.1: binary and text up, events as their JSON down; the session is created."""
    async with served() as app, app.plain() as client:
        await client.say(type="text", text="Hello")
        await client.websocket.send(PCM)
        await client.say(type="image", data=base64.b64encode(JPEG).decode(), mimeType="image/jpeg")
        connection = await app.connection()
        await until(lambda: len(connection.heard) == 3)
        await app.says(CHUNK, TurnComplete())
        events = await client.until(turn_complete)
        session = await app.rooms.runner.session_service.get_session(
            app_name="app", user_id="ada", session_id="s1"
        )
        await client.say(type="close")
        assert (await client.closed())[0] == 1000
        await until(lambda: not len(app.rooms))

    text, sound, image = connection.heard
    assert isinstance(text, Turn) and isinstance(sound, Media) and isinstance(image, Media)
    assert (sound.blob.data, image.blob.data) == (PCM, JPEG)
    blobs = [part["inlineData"] for event in events for part in event.get("content", {}).get("parts", [])]
    assert [base64.urlsafe_b64decode(blob["data"]) for blob in blobs] == [CHUNK]
    assert blobs[0]["mimeType"] == "audio/pcm;rate=24000"
    assert {event["author"] for event in events} == {"assistant"}
    assert session is not None and session.events


async def test_the_query_configures() -> None:
    """contract 8.1"""
    async with served() as app:
        async with app.plain(query="modality=TEXT&proactivity=false&affective_dialog=false") as client:
            await client.next()
            (room,) = app.rooms
            assert room.config.response_modalities == [Modality.TEXT]
        for query in ("modality=SONG", "proactivity=perhaps", "affective_dialog=true"):
            async with app.plain(session="s2", query=query) as refused:
                assert "errorCode" in await refused.next()
                assert (await refused.closed())[0] == 1008


async def test_a_malformed_message_is_answered_and_ten_end_it() -> None:
    """contract 8.3"""
    async with served() as app, app.plain() as client:
        await client.say(type="dance")
        (*_, error) = await client.until(lambda event: "errorCode" in event)
        assert error["errorCode"] == "BAD_MESSAGE" and "activity_start" in error["errorMessage"]
        await client.say(type="text", text="Hello")
        for _ in range(10):
            await client.say(type="dance")
        assert (await client.closed())[0] == 1008


async def test_a_frame_that_is_too_long() -> None:
    """contract 8.3"""
    async with served(ServerLimits(text_bytes=1024, media_bytes=1024)) as app:
        for frame in ('{"type":"text","text":"' + "x" * 3000 + '"}', b"\0" * 1026):
            async with app.plain() as client:
                await client.websocket.send(frame)
                assert (await client.closed())[0] == 1009


async def test_a_picture_in_json_may_be_as_big_as_any() -> None:
    """contract 8.1: cameras' pictures come as base64, in text frames longer than `text_bytes`."""
    picture = b"\xff\xd8" * 500_000
    async with served() as app, app.plain() as client:
        await client.say(type="image", data=base64.b64encode(picture).decode(), mimeType="image/jpeg")
        connection = await app.connection()
        await until(lambda: connection.heard)
    assert connection.heard[0].blob.data == picture  # type: ignore[union-attr]


async def test_what_is_said_in_line_waits() -> None:
    """contract 8.1, 8.6: a client that says no hello may speak at once."""
    async with served(ServerLimits(places=1)) as app, app.plain(user="ada") as first:
        await first.next()
        async with app.plain(user="bob") as second:
            await second.say(type="text", text="Hello")
            await second.websocket.send(PCM)
            await first.say(type="close")
            connection = await app.connection(2)
            await until(lambda: len(connection.heard) == 2)
    assert isinstance(connection.heard[0], Turn)


async def test_a_plain_client_has_no_grace() -> None:
    """contract 8.1: when it leaves, the conversation ends, and the next begins anew."""
    async with served() as app:
        async with app.plain() as client:
            await client.next()
            await client.break_off()
        async with app.plain() as again:
            await again.next()
            assert len(app.model.connections) == 2


async def test_an_interruption_sheds_what_waits() -> None:
    """contract 8.5: it is marked as such, and the next answer follows."""
    async with served() as app, app.plain() as client:
        await client.next()
        await app.says(CHUNK, ModelInterrupted(), TurnComplete(), "Yes?")
        events = await client.until(lambda event: turn_complete(event) and not event.get("interrupted"))
    assert any(event.get("interrupted") for event in events)
