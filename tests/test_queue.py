"""What the user sends, on its way to the model."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING, Any, cast

import pytest
from pydantic import ValidationError

from antiphon.errors import InvalidContent, QueueClosed, QueueInUse, UsageError
from antiphon.queue import LiveRequestQueue
from antiphon.requests import LiveRequest, Playback
from antiphon.types import Blob, Content, FunctionCall, FunctionResponse, Part

if TYPE_CHECKING:
    from antiphon.lanes import Lanes

SECOND = Blob(data=b"\0\0" * 16_000, mime_type="audio/pcm")
IMAGE = Blob(data=b"\xff\xd8", mime_type="image/jpeg")
HELLO = Content(role="user", parts=[Part(text="hello")])


def numbered(number: int) -> Blob:
    """A tiny chunk that can be told from others."""
    return Blob(data=bytes([number, 0]), mime_type="audio/pcm;rate=16000")


def drained(queue: LiveRequestQueue) -> list[Any]:
    """Everything that waits, as what it carries."""
    found: list[Any] = []
    while (request := queue.lanes.take()) is not None:
        if isinstance(request, Blob):
            found.append(request)
            continue
        (said,) = request.model_dump(exclude_defaults=True, exclude={"partial", "state_delta"})
        found.append(getattr(request, said) if said in ("content", "blob") else said)
    return found


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
    queue.send_stop()
    queue.send(LiveRequest(content=HELLO))
    queue.send(LiveRequest(blob=SECOND))
    queue.close()
    assert queue.depth == 10
    expected = [
        HELLO,
        SECOND,
        "activity_start",
        IMAGE,
        "activity_end",
        "audio_stream_end",
        "stop",
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
    blob, content, close = (queue.lanes.take() for _ in range(3))
    assert blob == Blob(data=b"\1\0", mime_type="audio/pcm")
    assert isinstance(content, LiveRequest) and content.state_delta == {"a": 1}
    assert isinstance(close, LiveRequest) and close.close


def test_a_partial_turn_is_marked_so() -> None:
    # contract 2.6
    queue = LiveRequestQueue()
    queue.send_content("hel", partial=True)
    request = queue.lanes.take()
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
    queue.lanes.attach(lambda: None)


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
    for _ in range(2):
        with pytest.raises(QueueClosed):
            await queue.get()


async def test_a_reader_that_gives_up_gives_the_queue_back() -> None:
    # contract 5.7
    queue = LiveRequestQueue()
    reading = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    queue.lanes.attach(lambda: None)


async def test_what_comes_while_the_reader_sits_down_is_seen() -> None:
    # contract 5.7
    class Late(LiveRequestQueue):
        def _read_next(self) -> LiveRequest | None:
            there = super()._read_next()
            if there is None:
                self.send_content("hello")
            return there

    assert (await Late().get()).content == HELLO


def test_what_comes_just_before_the_end_is_read() -> None:
    # contract 5.7
    queue = LiveRequestQueue()

    class Late:
        """Lanes in which something comes, and their end, once it was seen that there is nothing."""

        def __init__(self, lanes: Lanes) -> None:
            self._lanes = lanes

        def take(self) -> LiveRequest | Blob | None:
            there = self._lanes.take()
            if there is None and not self._lanes.closed:
                queue.send_content("hello")
                queue.close()
            return there

        def __getattr__(self, name: str) -> Any:
            return getattr(self._lanes, name)

    queue.lanes = cast("Lanes", Late(queue.lanes))
    assert [request.content for request in queue] == [HELLO]


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
    taken = [queue.lanes.take() for _ in range(4)]
    deltas = [request.state_delta for request in taken if isinstance(request, LiveRequest)]
    assert deltas == [{"0": 0}, {"1": 1}, {"2": 2}]
    assert isinstance(taken[-1], Blob)
    assert queue.dropped == 2


# What was heard.


def test_of_reports_of_playback_the_newest_counts_and_nothing_waits_behind_it() -> None:
    # contract 4.5
    queue = LiveRequestQueue()
    woken: list[bool] = []
    queue.lanes.attach(lambda: woken.append(True))
    queue.send_playback(100)
    queue.send_playback(250.5, turn=2)
    assert len(woken) == 2
    assert queue.depth == 0
    assert queue.lanes.take() is None
    assert queue.lanes.take_playback() == Playback(played_ms=250.5, turn=2)
    assert queue.lanes.take_playback() is None


def test_state_that_comes_with_playback_lands() -> None:
    # contract 2.6
    queue = LiveRequestQueue()
    queue.send({"playback": {"playedMs": 10}, "stateDelta": {"volume": 3}})
    assert queue.lanes.take_playback() is None
    taken = queue.lanes.take()
    assert isinstance(taken, LiveRequest)
    assert (taken.playback, taken.state_delta) == (Playback(played_ms=10), {"volume": 3})


def test_after_closing_no_playback_is_reported() -> None:
    # contract 2.4
    queue = LiveRequestQueue()
    queue.close()
    with pytest.raises(QueueClosed):
        queue.send_playback(10)


async def test_a_loop_reads_a_queue_to_its_end() -> None:
    # contract 5.7
    queue = LiveRequestQueue()
    queue.send_content("hello")
    queue.send_realtime(SECOND)
    reading = asyncio.create_task(_all(queue))
    await asyncio.sleep(0)
    queue.close()
    assert [request.content or request.blob for request in await reading] == [HELLO, SECOND]


async def _all(queue: LiveRequestQueue) -> list[LiveRequest]:
    return [request async for request in queue]


def test_a_thread_reads_a_queue_to_its_end() -> None:
    # contract 5.7
    queue = LiveRequestQueue()
    read: list[LiveRequest] = []
    thread = threading.Thread(target=lambda: read.extend(queue))
    thread.start()
    queue.send_realtime(SECOND)
    queue.close()
    thread.join(5)
    assert [request.blob for request in read] == [SECOND]
    with pytest.raises(QueueClosed):
        queue.get_blocking()


def test_a_thread_need_not_wait_for_ever() -> None:
    # contract 5.7: and whoever reads next may
    queue = LiveRequestQueue()
    with pytest.raises(TimeoutError, match=r"within 0\.001 s"):
        queue.get_blocking(timeout=0.001)
    queue.send_realtime(SECOND)
    assert queue.get_blocking(timeout=0).blob == SECOND


async def test_a_loop_is_not_held_up_by_waiting() -> None:
    # contract 5.3
    with pytest.raises(UsageError, match=r"await get\(\)"):
        LiveRequestQueue().get_blocking()


async def test_one_reads_at_a_time() -> None:
    # contract 5.7
    queue = LiveRequestQueue()
    reading = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    with pytest.raises(QueueInUse):
        await queue.get()
    queue.send_realtime(SECOND)
    assert (await reading).blob == SECOND


def test_a_reader_whose_loop_is_gone_hurts_nobody() -> None:
    # contract 2.3
    queue = LiveRequestQueue()
    loop = asyncio.new_event_loop()
    reading = queue.get()

    async def begin() -> None:
        reading.send(None)

    loop.run_until_complete(begin())
    loop.close()
    queue.send_realtime(SECOND)
    assert queue.depth == 1
    reading.close()
