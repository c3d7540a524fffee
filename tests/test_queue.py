"""What the user sends, on its way to the model."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest
from pydantic import ValidationError

from antiphon.errors import InvalidContent, QueueClosed, QueueInUse, UnknownMimeType
from antiphon.queue import LiveRequest, LiveRequestQueue, check_blob, pcm_rate
from antiphon.types import ActivityEnd, ActivityStart, Blob, Content, FunctionCall, FunctionResponse, Part

SECOND = Blob(data=b"\0\0" * 16_000, mime_type="audio/pcm")
IMAGE = Blob(data=b"\xff\xd8", mime_type="image/jpeg")
HELLO = Content(role="user", parts=[Part(text="hello")])


def numbered(number: int) -> Blob:
    """A tiny chunk that can be told from others."""
    return Blob(data=bytes([number, 0]), mime_type="audio/pcm;rate=16000")


def drained(queue: LiveRequestQueue) -> list[Any]:
    """Everything that waits, as what it carries."""
    found: list[Any] = []
    while (request := queue.take()) is not None:
        if isinstance(request, Blob):
            found.append(request)
            continue
        (said,) = request.model_dump(exclude_defaults=True, exclude={"partial", "state_delta"})
        found.append(getattr(request, said) if said in ("content", "blob") else said)
    return found


# Requests.


@pytest.mark.parametrize(
    "fields",
    [
        {"content": HELLO},
        {"content": HELLO, "partial": True, "state_delta": {"a": 1}},
        {"blob": SECOND},
        {"activity_start": ActivityStart()},
        {"activity_end": ActivityEnd()},
        {"audio_stream_end": True},
        {"close": True},
        {"close": True, "state_delta": {"a": 1}},
    ],
    ids=str,
)
def test_a_request_carries_one_thing(fields: dict[str, Any]) -> None:
    # contract 2.6
    request = LiveRequest(**fields)
    assert (
        LiveRequest.model_validate_json(request.model_dump_json(exclude_none=True, by_alias=True)) == request
    )


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({}, "this one has none"),
        ({"audio_stream_end": False, "close": False}, "this one has none"),
        ({"content": HELLO, "blob": SECOND}, "this one has content, blob"),
        ({"close": True, "activity_end": ActivityEnd()}, "this one has activity_end, close"),
        ({"close": True, "partial": True}, "partial goes with content only"),
        ({"content": Content(role="user", parts=[])}, "says nothing"),
        ({"blob": Blob(data=b"", mime_type="audio/pcm")}, "says nothing"),
        ({"nonsense": True}, "nonsense"),
    ],
    ids=str,
)
def test_any_other_request_is_refused(fields: dict[str, Any], complaint: str) -> None:
    # contract 2.6
    with pytest.raises(ValidationError, match=complaint):
        LiveRequest.model_validate(fields)


# MIME types.


@pytest.mark.parametrize(
    ("mime_type", "rate"),
    [
        ("audio/pcm", 16_000),
        ("audio/pcm;rate=24000", 24_000),
        ("Audio/PCM; Channels=1; Rate=8000", 8_000),
        ("image/jpeg", None),
        ("image/png", None),
    ],
)
def test_the_rate_of_audio_is_in_its_type(mime_type: str, rate: int | None) -> None:
    # contract 2.7
    assert pcm_rate(mime_type) == rate


@pytest.mark.parametrize("mime_type", ["", "audio/ogg", "audio/pcmu", "video/mp4", "image/gif"])
def test_an_unknown_type_is_refused_with_the_known_ones(mime_type: str) -> None:
    # contract 2.7
    with pytest.raises(UnknownMimeType, match="audio/pcm, image/jpeg, image/png"):
        LiveRequestQueue().send_realtime(Blob(data=b"\0", mime_type=mime_type))


@pytest.mark.parametrize("rate", ["", "fast", "-16000", "0", "999", "192001", "16e3"])
def test_a_rate_that_is_no_rate_is_refused(rate: str) -> None:
    # contract 2.7
    with pytest.raises(UnknownMimeType, match="1000 to 192000"):
        pcm_rate(f"audio/pcm;rate={rate}")


def test_the_length_of_a_blob_is_in_seconds() -> None:
    assert check_blob(SECOND) == 1.0
    assert check_blob(IMAGE) == 0.0


# Sending.


def test_everything_can_be_sent_and_comes_out_in_order() -> None:
    # contract 2.1, 2.2
    queue = LiveRequestQueue()
    queue.send_content(HELLO)
    queue.send_realtime(SECOND)
    queue.send_activity_start()
    queue.send_realtime(IMAGE)
    queue.send_activity_end()
    queue.send_audio_stream_end()
    queue.send(LiveRequest(content=HELLO))
    queue.send(LiveRequest(blob=SECOND))
    queue.close()
    assert queue.depth == 9
    expected = [
        HELLO,
        SECOND,
        "activity_start",
        IMAGE,
        "activity_end",
        "audio_stream_end",
        HELLO,
        SECOND,
        "close",
    ]
    assert drained(queue) == expected
    assert queue.depth == 0


@pytest.mark.parametrize(
    "content", ["hello", HELLO, {"role": "user", "parts": [{"text": "hello"}]}], ids=repr
)
def test_content_may_be_text_or_a_dict(content: Any) -> None:
    # contract 2.5
    queue = LiveRequestQueue()
    queue.send_content(content)
    assert drained(queue) == [HELLO]


def test_objects_of_the_official_types_are_accepted() -> None:
    # contract 2.5
    theirs = pytest.importorskip("google.genai.types")
    queue = LiveRequestQueue()
    queue.send_content(theirs.Content(role="user", parts=[theirs.Part(text="hello")]))
    queue.send_realtime(theirs.Blob(data=b"\1\0", mime_type="audio/pcm;rate=16000"))
    assert drained(queue) == [HELLO, Blob(data=b"\1\0", mime_type="audio/pcm;rate=16000")]


def test_blobs_and_requests_may_be_dicts() -> None:
    # contract 2.5
    queue = LiveRequestQueue()
    queue.send_realtime({"data": b"\1\0", "mime_type": "audio/pcm"})
    queue.send({"content": {"parts": [{"text": "hello"}]}, "stateDelta": {"a": 1}})
    queue.send({"close": True})
    blob, content, close = (queue.take() for _ in range(3))
    assert blob == Blob(data=b"\1\0", mime_type="audio/pcm")
    assert isinstance(content, LiveRequest) and content.state_delta == {"a": 1}
    assert isinstance(close, LiveRequest) and close.close


def test_a_partial_turn_is_marked_so() -> None:
    # contract 2.6
    queue = LiveRequestQueue()
    queue.send_content("hel", partial=True)
    request = queue.take()
    assert isinstance(request, LiveRequest)
    assert request.partial


@pytest.mark.parametrize(
    "content",
    [
        Content(role="user", parts=[Part(function_call=FunctionCall(name="look"))]),
        Content(role="user", parts=[]),
        Content(role="user"),
    ],
    ids=repr,
)
def test_what_a_user_cannot_say_is_refused(content: Content) -> None:
    # contract 2.5
    queue = LiveRequestQueue()
    with pytest.raises(InvalidContent):
        queue.send_content(content)
    assert queue.depth == 0


def test_a_user_may_answer_a_call() -> None:
    # contract 5.6
    queue = LiveRequestQueue()
    queue.send_content(
        Content(parts=[Part(function_response=FunctionResponse(id="c", name="book", response={}))])
    )
    assert queue.depth == 1


def test_a_malformed_dict_is_refused() -> None:
    queue = LiveRequestQueue()
    with pytest.raises(ValidationError):
        queue.send_content({"parts": "hello"})
    with pytest.raises(InvalidContent):
        queue.send_realtime({"mime_type": "audio/pcm"})


# Closing.


def test_after_closing_nothing_can_be_sent() -> None:
    # contract 2.4
    queue = LiveRequestQueue()
    assert not queue.closed
    queue.close()
    queue.close()
    assert queue.closed
    with pytest.raises(QueueClosed):
        queue.send_content("hello")
    with pytest.raises(QueueClosed):
        queue.send_realtime(SECOND)
    with pytest.raises(QueueClosed):
        queue.send_audio_stream_end()
    queue.send(LiveRequest(close=True))
    assert drained(queue) == ["close"]


# Too much media.


def test_the_oldest_audio_is_dropped_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    # contract 2.2
    queue = LiveRequestQueue(max_frames=2)
    with caplog.at_level(logging.WARNING, logger="antiphon.queue"):
        for number in range(5):
            queue.send_realtime(numbered(number))
            queue.send_content("hello")
    assert (queue.dropped, queue.depth) == (3, 7)
    assert drained(queue) == [HELLO, HELLO, HELLO, numbered(3), HELLO, numbered(4), HELLO]
    assert len(caplog.records) == 1, "said once per burst"


def test_the_next_burst_is_reported_again(caplog: pytest.LogCaptureFixture) -> None:
    # contract 2.2
    queue = LiveRequestQueue(max_frames=1)
    with caplog.at_level(logging.WARNING, logger="antiphon.queue"):
        for _ in range(2):
            queue.send_realtime(SECOND)
            queue.send_realtime(SECOND)
            drained(queue)
    assert len(caplog.records) == 2
    assert queue.dropped == 2


def test_audio_is_bounded_in_seconds() -> None:
    # contract 2.2
    queue = LiveRequestQueue(max_audio_seconds=2.0)
    for _ in range(4):
        queue.send_realtime(SECOND)
    assert (queue.depth, queue.dropped) == (2, 2)


def test_images_are_bounded_by_their_number() -> None:
    # contract 2.2
    queue = LiveRequestQueue(max_images=2)
    queue.send_realtime(SECOND)
    for _ in range(3):
        queue.send_realtime(IMAGE)
    assert drained(queue) == [IMAGE, IMAGE]


def test_one_chunk_is_let_through_however_long() -> None:
    # contract 2.2: a chunk is never split
    queue = LiveRequestQueue(max_audio_seconds=0.5)
    queue.send_realtime(SECOND)
    assert drained(queue) == [SECOND]


# The runtime's side.


def test_a_queue_serves_one_invocation() -> None:
    # contract 1.4
    queue = LiveRequestQueue()
    queue.attach(lambda: None)
    with pytest.raises(QueueInUse):
        queue.attach(lambda: None)
    queue.detach()
    queue.attach(lambda: None)


def test_whoever_holds_the_queue_is_woken_by_everything() -> None:
    # contract 1.3
    woken = []
    queue = LiveRequestQueue()
    queue.send_content("before")
    queue.attach(lambda: woken.append(queue.depth))
    queue.send_content("hello")
    queue.send_realtime(SECOND)
    queue.close()
    queue.close()
    assert woken == [2, 3, 4]
    queue.detach()


def test_threads_may_send_at_once() -> None:
    # contract 2.3
    queue = LiveRequestQueue(max_frames=10_000, max_audio_seconds=1e9)

    def send(name: str) -> None:
        for number in range(200):
            queue.send_content(f"{name}{number}")
            queue.send_realtime(SECOND)

    threads = [threading.Thread(target=send, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    said = [each for each in drained(queue) if isinstance(each, Content)]
    texts = [part.text or "" for content in said for part in content.parts or []]
    for name in "abcd":
        assert [text for text in texts if text.startswith(name)] == [f"{name}{n}" for n in range(200)]


async def test_a_reader_waits_for_what_comes() -> None:
    # contract 5.7
    queue = LiveRequestQueue()
    queue.send_content("hello")
    assert (await queue.get()).content == HELLO
    reading = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    assert not reading.done()
    queue.send_realtime(SECOND)
    assert (await reading).blob == SECOND
    queue.attach(lambda: None)


async def test_a_reader_is_woken_from_other_threads() -> None:
    # contract 2.3, 5.7
    queue = LiveRequestQueue()
    reading = asyncio.create_task(queue.get())
    await asyncio.sleep(0)

    def talk() -> None:
        queue.send_content("hello")
        queue.close()

    thread = threading.Thread(target=talk)
    thread.start()
    thread.join()
    assert (await reading).content == HELLO
    assert (await queue.get()).close


async def test_a_reader_that_gives_up_gives_the_queue_back() -> None:
    # contract 5.7
    queue = LiveRequestQueue()
    reading = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    queue.attach(lambda: None)


async def test_what_comes_while_the_reader_sits_down_is_seen() -> None:
    # contract 5.7
    class Late(LiveRequestQueue):
        def attach(self, wake: Any) -> None:
            super().attach(wake)
            if not self.depth:
                self.send_content("hello")

    assert (await Late().get()).content == HELLO


def test_a_queue_that_has_served_its_conversation_serves_no_other() -> None:
    # contract 1.4: it would never end, nor could anything be sent
    queue = LiveRequestQueue()
    queue.close()
    queue.attach(lambda: None)  # its close still waits: what was sent before is delivered (2.4)
    queue.take()
    queue.detach()
    with pytest.raises(QueueClosed, match="make one for each"):
        queue.attach(lambda: None)


def test_half_a_character_is_refused() -> None:
    # contract 2.5: JSON of browsers may hold it, and no wire can carry it
    with pytest.raises(InvalidContent, match="half a character"):
        LiveRequestQueue().send_content("well \ud83d")


def test_state_that_comes_with_media_lands_even_when_the_media_is_shed() -> None:
    # contract 2.2, 2.6
    queue = LiveRequestQueue(max_frames=1)
    for number in range(3):
        blob = Blob(data=b"\1\0", mime_type="audio/pcm")
        queue.send(LiveRequest(blob=blob, state_delta={str(number): number}))
    taken = [queue.take() for _ in range(4)]
    deltas = [request.state_delta for request in taken if isinstance(request, LiveRequest)]
    assert deltas == [{"0": 0}, {"1": 1}, {"2": 2}]
    assert isinstance(taken[-1], Blob)
    assert queue.dropped == 2


# Refused with advice.


@pytest.mark.parametrize(
    "part",
    [
        {"text": "a\ud800b"},
        {"function_response": {"id": "c", "name": "book", "response": {"said": [1, "\udfff"]}}},
        {"function_response": {"id": "c", "name": "book", "response": {"\ud800": 1}}},
        {"function_response": {"id": "\ud800", "name": "book", "response": {}}},
        {"file_data": {"file_uri": "gs://\ud800"}},
    ],
    ids=ascii,
)
def test_half_a_character_is_refused_where_it_is(part: dict[str, Any]) -> None:
    # contract 2.5
    queue = LiveRequestQueue()
    parts = [{"text": "\U0001f600"}, part]
    for content in ({"parts": parts}, Content.model_validate({"parts": parts})):
        with pytest.raises(InvalidContent, match="Part 1 holds half a character"):
            queue.send_content(content)
    assert queue.depth == 0


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "empty"),
        (Content(parts=[Part(), Part(text="")]), "empty"),
        (Content(role="model", parts=[Part(text="I said")]), "role='user'"),
        (None, "NoneType"),
        (Part(text="hello"), "wrap parts"),
        ([Part(text="hello")], "wrap parts"),
    ],
    ids=repr,
)
def test_what_is_no_turn_of_a_user_is_refused_with_advice(content: Any, complaint: str) -> None:
    # contract 2.5
    queue = LiveRequestQueue()
    with pytest.raises(InvalidContent, match=complaint):
        queue.send_content(content)
    assert queue.depth == 0


def test_bare_bytes_and_no_requests_are_refused_with_advice() -> None:
    # contract 2.5, 2.7
    queue = LiveRequestQueue()
    wrong: Any = b"\0\0"
    with pytest.raises(InvalidContent, match=r'types\.Blob\(data=…, mime_type="audio/pcm;rate=16000"\)'):
        queue.send_realtime(wrong)
    with pytest.raises(InvalidContent, match="LiveRequest"):
        queue.send(wrong)


@pytest.mark.parametrize(
    ("mime_type", "advice"), [(None, "give mime_type"), ("audio/x-wav", "Strip the header"), ("a/b", "'a/b'")]
)
def test_a_type_that_cannot_be_sent_is_refused_with_advice(mime_type: str | None, advice: str) -> None:
    # contract 2.7
    with pytest.raises(UnknownMimeType, match=advice):
        LiveRequestQueue().send_realtime(Blob(data=b"\0\0", mime_type=mime_type))
