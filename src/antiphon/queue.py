"""`LiveRequestQueue`: what the user sends, on its way to the model (contract, section 2).

What is sent is looked at here; where it waits is `lanes.py`.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from antiphon import types
from antiphon.errors import QueueClosed, UsageError
from antiphon.lanes import Lanes, MediaLane
from antiphon.requests import LiveRequest, Playback, check_blob, check_content, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from antiphon.types import Blob, Content

__all__ = ["LiveRequestQueue"]

log = logging.getLogger(__name__)


class LiveRequestQueue:
    """The user's side of one conversation.

    Every method returns at once, needs no `await`, and may be called from any thread; a queue may be made
    outside an event loop. One queue serves one `run_live()`.

    Args:
        max_audio_seconds: Audio that may wait for the model; beyond it the oldest chunk is dropped.
        max_frames: Blobs (chunks and images) that may wait, whatever their length.
        max_images: Images that may wait; beyond it the oldest media is dropped.
    """

    def __init__(
        self, *, max_audio_seconds: float = 30.0, max_frames: int = 3_000, max_images: int = 32
    ) -> None:
        limits = float(max_audio_seconds), float(max_frames), float(max_images)
        self.lanes = Lanes(MediaLane(*limits, _report_dropped))
        """What waits; for those who have looked at what they put in, and for the runtime."""

    # What the application calls.

    def send_content(self, content: Content | dict[str, Any] | str, *, partial: bool = False) -> None:
        """Sends one user turn. A `str` is a text turn; `partial=True` leaves the turn open.

        Raises `InvalidContent`, `QueueClosed`, or Pydantic's `ValidationError` for a malformed dict.
        """
        if isinstance(content, str):
            content = types.Content(role="user", parts=[types.Part.from_text(text=content)])
        else:
            content = read(
                types.Content,
                content,
                "send_content takes a str, a Content or a dict of its fields: "
                "wrap parts as types.Content(role='user', parts=[…]).",
            )
        check_content(content)
        self.lanes.put_control(LiveRequest.trusted(content=content, partial=partial))

    def send_realtime(self, blob: Blob | dict[str, Any]) -> None:
        """Sends one audio chunk (16-bit little-endian mono PCM) or one video frame (JPEG or PNG).

        Raises `UnknownMimeType`, `InvalidContent` for an empty blob or bare bytes, `QueueClosed`.
        """
        if not isinstance(blob, types.Blob):
            blob = read(
                types.Blob,
                blob,
                "send_realtime takes a Blob, or a dict of its fields: "
                'wrap bytes as types.Blob(data=…, mime_type="audio/pcm;rate=16000").',
            )
        self.lanes.put_media(blob, check_blob(blob))

    def send_activity_start(self) -> None:
        """The user began to speak; only with automatic activity detection disabled (contract 6.4)."""
        self.lanes.put_control(LiveRequest.trusted(activity_start=types.ActivityStart()))

    def send_activity_end(self) -> None:
        """The user has finished speaking; only with automatic activity detection disabled."""
        self.lanes.put_control(LiveRequest.trusted(activity_end=types.ActivityEnd()))

    def send_audio_stream_end(self) -> None:
        """The microphone was switched off; what the model holds back is flushed. Audio reopens the stream."""
        self.lanes.put_control(LiveRequest.trusted(audio_stream_end=True))

    def send_stop(self) -> None:
        """The user wants no more of the answer that is being heard, and has the floor (contract 3.6).

        What was not heard of it counts as not said: report that before, by `send_playback`.
        """
        self.lanes.put_control(LiveRequest.trusted(stop=True))

    def send_playback(self, played_ms: float, *, turn: int | None = None) -> None:
        """Reports how far the user has heard an answer, so that the record can say so (contract 4.5).

        `played_ms` counts milliseconds from the answer's first audio chunk. `turn` counts the `turn_complete`
        events that came before that answer; unset, the newest answer with audio is meant. Report twice
        a second while playing, and once more when playing has ended. Only the newest report counts.
        """
        self.lanes.put_playback(Playback(played_ms=played_ms, turn=turn))

    def send(self, request: LiveRequest | dict[str, Any]) -> None:
        """Sends a ready-made request, or a dict of its fields."""
        request = read(
            LiveRequest,
            request,
            "send takes a LiveRequest, or a dict of its fields; see also send_content and send_realtime.",
        )
        if request.close:
            self.lanes.close(request)
        elif request.playback is not None and not request.state_delta:
            self.lanes.put_playback(request.playback)
        elif request.blob is not None:
            seconds = check_blob(request.blob)
            if request.state_delta:  # it lands even when the media is shed
                self.lanes.put_control(LiveRequest.trusted(state_delta=request.state_delta))
            self.lanes.put_media(request.blob, seconds)
        else:
            self.lanes.put_control(request)

    def close(self) -> None:
        """Ends the conversation once everything sent before has been delivered. Twice is fine."""
        self.lanes.close(LiveRequest.trusted(close=True))

    @property
    def closed(self) -> bool:
        return self.lanes.closed

    @property
    def depth(self) -> int:
        """Requests waiting for the model."""
        return self.lanes.depth

    @property
    def dropped(self) -> int:
        """Media dropped since the queue was made, because the model could not keep up."""
        return self.lanes.dropped

    # What tools that read a copy of the media call (contract 5.7): one reader at a time.

    async def get(self) -> LiveRequest:
        """Waits for the next request.

        Raises `QueueClosed` when everything was read and nothing can follow, and `QueueInUse` when somebody
        else waits already. `async for request in queue` reads to the end.
        """
        loop = asyncio.get_running_loop()
        while (request := self._read_next()) is None:
            arrived = loop.create_future()
            self.lanes.attach(partial(_resolve, loop, arrived))
            try:
                if not self.lanes.depth:
                    await arrived
            finally:
                self.lanes.detach()
        return request

    def get_blocking(self, timeout: float | None = None) -> LiveRequest:
        """`get` for synchronous tools, which run in threads: `timeout` is in seconds, `None` without limit.

        Raises `TimeoutError` when nothing came, `QueueClosed` and `QueueInUse` as `get` does, and
        `UsageError` on an event loop, which it would hold up. `for request in queue` reads to the end.
        """
        if _loop_of_this_thread() is not None:
            raise UsageError("get_blocking() would hold up everything on this event loop: await get().")
        give_up = None if timeout is None else time.monotonic() + timeout
        while (request := self._read_next()) is None:
            arrived = threading.Event()
            self.lanes.attach(arrived.set)
            try:
                left = None if give_up is None else max(give_up - time.monotonic(), 0.0)
                if not self.lanes.depth and not arrived.wait(left):
                    raise TimeoutError(f"Nothing came within {timeout:g} s.")
            finally:
                self.lanes.detach()
        return request

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> LiveRequest:
        try:
            return await self.get()
        except QueueClosed:
            raise StopAsyncIteration from None

    def __iter__(self) -> Iterator[LiveRequest]:
        with suppress(QueueClosed):
            while True:
                yield self.get_blocking()

    def _read_next(self) -> LiveRequest | None:
        closed = self.lanes.closed  # before it is looked into: what comes in between is not lost
        taken = self.lanes.take()
        if isinstance(taken, types.Blob):
            return LiveRequest.trusted(blob=taken)
        if taken is None and not closed:
            return None
        if taken is None or taken.close:
            raise QueueClosed("The queue is closed, and everything in it was read.")
        return taken


def _report_dropped(count: int) -> None:
    """A burst of media begins to be dropped."""
    log.warning("The model cannot keep up; dropping the oldest media (%d so far).", count)


def _loop_of_this_thread() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _resolve(loop: asyncio.AbstractEventLoop, future: asyncio.Future[None]) -> None:
    if _loop_of_this_thread() is loop:
        _set(future)
        return
    with suppress(RuntimeError):  # the loop is closed: nobody reads any more
        loop.call_soon_threadsafe(_set, future)


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
