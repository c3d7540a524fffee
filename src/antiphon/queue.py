"""`LiveRequestQueue`: what the user sends, on its way to the model (contract, section 2).

One order, two lanes. *Control* (content, tool results, activity signals, close) is never dropped; *media*
(audio chunks and video frames) is bounded, and when the model cannot keep up the oldest is dropped and
counted. Whatever is left comes out in the order it went in.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from antiphon import types
from antiphon.errors import QueueClosed, QueueInUse, UsageError
from antiphon.requests import LiveRequest, Playback, check_blob, check_content, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from antiphon.types import Blob, Content

__all__ = ["LiveRequestQueue"]

log = logging.getLogger(__name__)


class _Shed:
    """What was dropped because the model could not keep up."""

    def __init__(self) -> None:
        self.count = 0
        self.in_burst = False
        self.kept: deque[Blob] | None = None

    def add(self, media: Blob) -> bool:
        """Whether this is the first of a burst."""
        self.count += 1
        if self.kept is not None:
            self.kept.append(media)
        first, self.in_burst = not self.in_burst, True
        return first


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
        self._lock = threading.Lock()
        self._control: deque[tuple[int, LiveRequest]] = deque()
        self._media: deque[tuple[int, Blob, float]] = deque()
        self._limits = (max_audio_seconds, max_frames, max_images)
        self._order = 0
        self._waiting_audio = 0.0
        self._waiting_images = 0
        self._shed = _Shed()
        self._closed = False
        self._playback: Playback | None = None
        self._wake: Callable[[], None] | None = None
        self._at_once: Callable[[Blob], bool] | None = None

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
        self._put_control(LiveRequest.trusted(content=content, partial=partial))

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
        self.put_media(blob, check_blob(blob))

    def send_activity_start(self) -> None:
        """The user began to speak; only with automatic activity detection disabled (contract 6.4)."""
        self._put_control(LiveRequest.trusted(activity_start=types.ActivityStart()))

    def send_activity_end(self) -> None:
        """The user has finished speaking; only with automatic activity detection disabled."""
        self._put_control(LiveRequest.trusted(activity_end=types.ActivityEnd()))

    def send_audio_stream_end(self) -> None:
        """The microphone was switched off; what the model holds back is flushed. Audio reopens the stream."""
        self._put_control(LiveRequest.trusted(audio_stream_end=True))

    def send_stop(self) -> None:
        """The user wants no more of the answer that is being heard, and has the floor (contract 3.6).

        What was not heard of it counts as not said: report that before, by `send_playback`.
        """
        self._put_control(LiveRequest.trusted(stop=True))

    def send_playback(self, played_ms: float, *, turn: int | None = None) -> None:
        """Reports how far the user has heard an answer, so that the record can say so (contract 4.5).

        `played_ms` counts milliseconds from the answer's first audio chunk. `turn` counts the `turn_complete`
        events that came before that answer; unset, the newest answer with audio is meant. Report several
        times a second while playing, and once more when playing has ended. Only the newest report counts.
        """
        self.put_playback(Playback(played_ms=played_ms, turn=turn))

    def send(self, request: LiveRequest | dict[str, Any]) -> None:
        """Sends a ready-made request, or a dict of its fields."""
        request = read(
            LiveRequest,
            request,
            "send takes a LiveRequest, or a dict of its fields; see also send_content and send_realtime.",
        )
        if request.close:
            self._close(request)
        elif request.playback is not None and not request.state_delta:
            self.put_playback(request.playback)
        elif request.blob is not None:
            seconds = check_blob(request.blob)
            if request.state_delta:  # it lands even when the media is shed
                self._put_control(LiveRequest.trusted(state_delta=request.state_delta))
            self.put_media(request.blob, seconds)
        else:
            self._put_control(request)

    def close(self) -> None:
        """Ends the conversation once everything sent before has been delivered. Twice is fine."""
        self._close(LiveRequest.trusted(close=True))

    def _close(self, request: LiveRequest) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._control.append((self._order, request))
            self._order += 1
            wake = self._wake
        if wake is not None:
            wake()

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def depth(self) -> int:
        """Requests waiting for the model."""
        return len(self._control) + len(self._media)

    @property
    def dropped(self) -> int:
        """Media dropped since the queue was made, because the model could not keep up."""
        return self._shed.count

    # What those call who have looked at what they give.

    def put_media(self, media: Blob, seconds: float) -> None:
        """`send_realtime` for media that is known to be right; `seconds` of audio, 0 for an image."""
        at_once, busy = self._at_once, self._media or self._control or self._closed or self._shed.kept
        if at_once is not None and not busy and at_once(media):
            self._shed.in_burst = False
            return
        max_audio, max_frames, max_images = self._limits
        with self._lock:
            self._refuse_if_closed()
            self._media.append((self._order, media, seconds))
            self._order += 1
            self._waiting_audio += seconds
            self._waiting_images += not seconds
            wake, report = self._wake, False
            while len(self._media) > 1 and (
                self._waiting_audio > max_audio
                or len(self._media) > max_frames
                or self._waiting_images > max_images
            ):
                dropped = self._pop_media()
                report = self._shed.add(dropped) or report
        if report:
            self._report_dropped()
        if wake is not None:
            wake()

    def put_playback(self, playback: Playback) -> None:
        """Goes before all that waits, since it is no news to the model; a newer report replaces an older."""
        with self._lock:
            self._refuse_if_closed()
            self._playback = playback
            wake = self._wake
        if wake is not None:
            wake()

    # What the runtime calls.

    def attach(
        self,
        wake: Callable[[], None],
        *,
        keep_shed: bool = False,
        at_once: Callable[[Blob], bool] | None = None,
    ) -> None:
        """Claims the queue; `wake` is called, from any thread, when there is something to `take`.

        Media for which nothing has to wait is given to `at_once`, from any thread; what that leaves with
        False goes into the queue. With `keep_shed` what is shed is kept for `take_shed`, `max_frames` of it.

        Raises `QueueInUse` when another invocation holds it (contract 1.4), and `QueueClosed` when it was
        closed and nothing waits in it any more: nothing could ever come out of it.
        """
        with self._lock:
            if self._closed and not self.depth:
                raise QueueClosed("This LiveRequestQueue has served its conversation; make one for each.")
            if self._wake is not None:
                raise QueueInUse(
                    "This LiveRequestQueue already serves a run_live(); make one per conversation."
                )
            self._wake, self._at_once = wake, at_once
            self._shed.kept = deque(maxlen=self._limits[1]) if keep_shed else None

    def detach(self) -> None:
        """Gives the queue back; what still waits in it stays."""
        with self._lock:
            self._wake = self._at_once = self._shed.kept = None

    def take_shed(self) -> Blob | None:
        """The oldest media that was dropped, if it was to be kept: it is older than what `take` gives."""
        return self._shed.kept.popleft() if self._shed.kept else None

    def take_playback(self) -> Playback | None:
        """The newest report of what was heard, once."""
        if self._playback is None:  # nearly always, so without the lock
            return None
        with self._lock:
            playback, self._playback = self._playback, None
            return playback

    def take(self) -> LiveRequest | Blob | None:
        """The next request in order, or `None`. Media is a bare blob; what came with it stands before it."""
        with self._lock:
            if self._media and (not self._control or self._media[0][0] < self._control[0][0]):
                return self._pop_media()
            self._shed.in_burst = False
            return self._control.popleft()[1] if self._control else None

    # What tools that read a copy of the media call (contract 5.7): one reader at a time.

    async def get(self) -> LiveRequest:
        """Waits for the next request.

        Raises `QueueClosed` when everything was read and nothing can follow, and `QueueInUse` when somebody
        else waits already. `async for request in queue` reads to the end.
        """
        loop = asyncio.get_running_loop()
        while (request := self._read_next()) is None:
            arrived = loop.create_future()
            self.attach(partial(_resolve, loop, arrived))
            try:
                if not self.depth:
                    await arrived
            finally:
                self.detach()
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
            self.attach(arrived.set)
            try:
                left = None if give_up is None else max(give_up - time.monotonic(), 0.0)
                if not self.depth and not arrived.wait(left):
                    raise TimeoutError(f"Nothing came within {timeout:g} s.")
            finally:
                self.detach()
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
        taken = self.take()
        if isinstance(taken, types.Blob):
            return LiveRequest.trusted(blob=taken)
        if taken is None and not self._closed:
            return None
        if taken is None or taken.close:
            raise QueueClosed("The queue is closed, and everything in it was read.")
        return taken

    def _put_control(self, request: LiveRequest) -> None:
        with self._lock:
            self._refuse_if_closed()
            self._control.append((self._order, request))
            self._order += 1
            wake = self._wake
        if wake is not None:
            wake()

    def _report_dropped(self) -> None:
        """A burst of media begins to be dropped."""
        log.warning("The model cannot keep up; dropping the oldest media (%d so far).", self._shed.count)

    def _pop_media(self) -> Blob:
        _, media, seconds = self._media.popleft()
        self._waiting_audio -= seconds
        self._waiting_images -= not seconds
        return media

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise QueueClosed("The queue is closed: nothing can be sent after close().")


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
