"""What the user sends reaches the model, in order."""

from __future__ import annotations

import threading
from contextlib import aclosing
from typing import TYPE_CHECKING

from antiphon import LiveRequestQueue, types
from antiphon.core.signals import Signal, UserMedia
from antiphon.runtime.intake import Intake
from antiphon.runtime.streams import InputStreams
from antiphon.testing.live_server import frames

if TYPE_CHECKING:
    from antiphon import Event
    from antiphon.testing.live_server import Call
    from tests.runtime.conftest import Converse

FRAME = bytes(1920)  # 40 ms of PCM at 24 kHz
HELLO = {"role": "user", "parts": [{"text": "hello"}]}


def audio_of(event: Event) -> bytes | None:
    parts = event.content.parts if event.content else None
    return parts[0].inline_data.data if parts and parts[0].inline_data else None


async def test_audio_goes_up_as_it_was_sent(converse: Converse) -> None:
    """contract 2.2: never split, merged or reordered"""
    chunks = [bytes([n]) * (2 * n) for n in range(1, 9)]
    heard: list[bytes] = []

    async def script(call: Call) -> None:
        await call.setup()
        heard.extend([await call.receive_audio() for _ in chunks])
        assert await call.receive_text() == "done"
        await call.turn_complete()
        await call.closed()

    async with converse(script) as talk:
        for chunk in chunks:
            talk.queue.send_realtime(types.Blob(data=chunk, mime_type="audio/pcm;rate=16000"))
        talk.queue.send_content("done")
        await talk.until(lambda e: e.turn_complete)
    assert heard == chunks


async def test_what_was_sent_before_close_is_delivered_before_the_close_frame(converse: Converse) -> None:
    """contract 2.4, 1.5"""
    async with converse() as talk:
        talk.queue.send_content("last words")
        talk.queue.close()
        await talk.all()
        [connection] = talk.server.connections
        assert connection.close_code == 1000
        assert [message.text for message in connection.received if message.text] == ["last words"]


async def test_other_threads_may_send(converse: Converse) -> None:
    """contract 2.3"""
    async with converse() as talk:
        sender = threading.Thread(target=lambda: talk.queue.send_content("from a thread"))
        async with aclosing(talk.events()) as events:
            async for event in events:
                if event.lifecycle and event.lifecycle.kind == "ready":
                    sender.start()
                if event.turn_complete:
                    break
        sender.join()
        texts = [message.text for message in talk.server.connections[0].received if message.text]
        assert texts == ["from a thread"]


async def test_state_that_comes_with_any_request_lands(converse: Converse) -> None:
    """contract 2.6"""
    blob = types.Blob(data=bytes(2), mime_type="audio/pcm;rate=16000")
    async with converse() as talk:
        talk.queue.send({"blob": blob, "state_delta": {"a": 1}})
        talk.queue.send({"audio_stream_end": True, "state_delta": {"b": 2}})
        talk.queue.send({"content": HELLO, "state_delta": {"c": 3}})
        talk.queue.send({"close": True, "state_delta": {"d": 4}})
        await talk.all()
        session = await talk.session()
    assert session.state == {"a": 1, "b": 2, "c": 3, "d": 4}


async def test_what_the_client_has_played_is_what_the_session_says(converse: Converse) -> None:
    """contract 4.5: also when the user cuts in after the model has ended its turn"""

    async def script(call: Call) -> None:
        await call.setup()
        await call.receive_text()
        for word in ("one ", "two ", "three"):
            await call.send(frames.output_transcription(word))
            await call.audio(bytes(48_000))
        await call.turn_complete()
        assert await call.receive_text() == "stop"
        await call.closed()

    async with converse(script) as talk:
        talk.queue.send_content("count")
        async with aclosing(talk.events()) as events:
            async for event in events:
                if event.turn_complete:
                    talk.queue.send_playback(1_000, turn=0)
                    talk.queue.send_content("stop")
                if event.amends:
                    break
        stored = (await talk.session()).events
    words = {event.id: event.output_transcription.text for event in stored if event.output_transcription}
    [amendment] = [event for event in stored if event.amends]
    assert amendment.amends in words
    assert (words[amendment.amends], words[amendment.id]) == ("one two three", "one")
    assert amendment.interrupted


async def test_what_the_queue_sheds_is_fed_as_such_before_what_came_later() -> None:
    """contract 2.2, 4.3: to those who record; to others it is gone"""
    for keep_shed in (True, False):
        queue, fed = LiveRequestQueue(max_frames=2), list[UserMedia]()
        blobs = [types.Blob(data=bytes([n, 0]), mime_type="audio/pcm") for n in range(4)]
        writable = False
        intake = Intake(queue, fed.append, lambda: writable, InputStreams(), keep_shed=keep_shed)  # type: ignore[arg-type]  # noqa: B023
        intake.open()
        for blob in blobs:
            queue.send_realtime(blob)
        shed = [UserMedia(blob, shed=True) for blob in blobs[:2]]
        assert fed == (shed if keep_shed else [])
        writable = True
        intake.drain()
        assert fed[-2:] == [UserMedia(blob) for blob in blobs[2:]]
        intake.close()


async def test_tools_are_given_what_is_taken_and_see_the_user_leave() -> None:
    """contract 5.7: not what waits while the model takes nothing, which may yet be dropped"""
    queue, streams, fed = LiveRequestQueue(), InputStreams(), list[Signal]()
    writable = True
    intake = Intake(queue, fed.append, lambda: writable, streams)
    intake.open()
    with streams.open("a", "watch") as copy:
        for number in range(3):
            writable = number != 1
            queue.send_realtime(types.Blob(data=bytes([number, 0]), mime_type="audio/pcm;rate=16000"))
            assert copy.depth == (1, 1, 3)[number]
        queue.send_content("not media")
        queue.close()
        read = [request.blob.data async for request in copy if request.blob]
    assert read == [b"\0\0", b"\1\0", b"\2\0"]
    assert [type(each).__name__ for each in fed] == [*["UserMedia"] * 3, "UserTurn", "UserLeft"]
    intake.close()
