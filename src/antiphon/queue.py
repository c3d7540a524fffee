"""`LiveRequestQueue`: what the user sends, on its way to the model (contract, section 2).

One order, two lanes. *Control* (content, tool results, activity signals, close) is never dropped; *media*
(audio chunks and video frames) is bounded, and when the model cannot keep up the oldest is dropped and
counted. Whatever is left comes out in the order it went in.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pydantic import ConfigDict, model_validator

from antiphon.errors import InvalidContent, QueueClosed, QueueInUse, UnknownMimeType
from antiphon.types import ActivityEnd, ActivityStart, Blob, Content, Part
from antiphon.types.model import Model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["KNOWN_MIME_TYPES", "LiveRequest", "LiveRequestQueue", "pcm_rate"]

_M = TypeVar("_M", bound=Model)

log = logging.getLogger(__name__)

KNOWN_MIME_TYPES = ("audio/pcm", "image/jpeg", "image/png")
DEFAULT_RATE = 16_000

_WAV = ("audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave")
_SAYS = (
    "text",
    "inline_data",
    "file_data",
    "function_call",
    "function_response",
    "executable_code",
    "code_execution_result",
    "tool_call",
    "tool_response",
)
"""The fields of a part that say something by themselves; the others describe it."""


@lru_cache(maxsize=256)
def pcm_rate(mime_type: str) -> int | None:
    """The sample rate in hertz of `audio/pcm;rate=…` (16000 when unsaid), or `None` for an image.

    Raises `UnknownMimeType` for anything that is not 16-bit PCM, JPEG or PNG (contract 2.7).
    """
    kind, *parameters = (piece.strip().lower() for piece in mime_type.split(";"))
    if kind not in KNOWN_MIME_TYPES:
        trouble = f"{mime_type!r} cannot be sent in real time."
        if not kind:
            trouble = 'A blob needs its type: give mime_type, such as "audio/pcm;rate=16000".'
        elif kind in _WAV:
            trouble += " Strip the header and send the PCM, e.g. what wave.open(…).readframes(…) gives."
        raise UnknownMimeType(
            f"{trouble} Known types: {', '.join(KNOWN_MIME_TYPES)} "
            "(audio is 16-bit little-endian mono; say its rate as audio/pcm;rate=16000)."
        )
    if kind != "audio/pcm":
        return None
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "rate":
            if not value.isdigit() or not 1_000 <= int(value) <= 192_000:
                raise UnknownMimeType(f"{mime_type!r}: the rate must be a number of hertz, 1000 to 192000.")
            return int(value)
    return DEFAULT_RATE


class LiveRequest(Model):
    """One message from the user: exactly one of the six, else it is refused (contract 2.6)."""

    model_config = ConfigDict(extra="forbid")

    content: Content | None = None
    blob: Blob | None = None
    activity_start: ActivityStart | None = None
    activity_end: ActivityEnd | None = None
    audio_stream_end: bool = False
    close: bool = False
    partial: bool = False
    """With `content`: more of the same turn follows, the model does not answer yet."""
    state_delta: dict[str, Any] | None = None
    """Changes to the session's state that land when this request is taken."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        said = [
            name
            for name in ("content", "blob", "activity_start", "activity_end", "audio_stream_end", "close")
            if getattr(self, name) not in (None, False)
        ]
        if len(said) != 1:
            raise ValueError(
                "a LiveRequest carries exactly one of content, blob, activity_start, activity_end, "
                f"audio_stream_end, close; this one has {', '.join(said) or 'none'}."
            )
        if self.partial and self.content is None:
            raise ValueError("partial goes with content only.")
        if self.content is not None:
            check_content(self.content)
        if self.blob is not None:
            check_blob(self.blob)
        return self


def check_content(content: Content) -> None:
    """Raises `InvalidContent` unless a user may send this (contract 2.5)."""
    if not content.parts:
        raise InvalidContent("Content without parts says nothing; give it at least one Part.")
    if any(part.function_call for part in content.parts):
        raise InvalidContent(
            "A user's content may not hold a function_call: only the model calls tools. "
            "To answer a long-running call, send a part with function_response."
        )
    if content.role not in (None, "user"):
        raise InvalidContent(
            f"The queue speaks for the user, not for {content.role!r}: use role='user', or leave it out."
        )
    if not any(getattr(part, name) for part in content.parts for name in _SAYS):
        raise InvalidContent("All parts of this content are empty; give one of them text, data or a file.")
    for number, part in enumerate(content.parts):
        for text in _strings(part.model_dump(exclude={"inline_data": {"data"}}, exclude_none=True)):
            try:
                text.encode()
            except UnicodeEncodeError as half:
                raise InvalidContent(
                    f"Part {number} holds half a character ({text[half.start]!r} at {half.start} of a text), "
                    "which no model can be sent: decode it as UTF-16 surrogate pairs, or replace it."
                ) from None


def _strings(value: object) -> Iterator[str]:
    """Every string in there, names of fields and keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _strings(key)
            yield from _strings(inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from _strings(inner)


def _read(kind: type[_M], given: object, advice: str) -> _M:
    """`given` as ours: it is one, is an equally named object of another package, or a dict (contract 2.5)."""
    if isinstance(given, kind):
        return given
    if isinstance(given, Mapping) or any(each.__name__ == kind.__name__ for each in type(given).__mro__):
        return kind.model_validate(given)
    raise InvalidContent(f"{advice} This is of type {type(given).__name__}.")


def check_blob(blob: Blob) -> float:
    """Seconds of audio in the blob, 0 for an image.

    Raises `UnknownMimeType`, or `InvalidContent` when the blob is empty.
    """
    rate = pcm_rate(blob.mime_type or "")
    if not blob.data:
        raise InvalidContent("A blob without data says nothing.")
    return len(blob.data) / (2 * rate) if rate else 0.0


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
        self._dropped = 0
        self._in_burst = False
        self._closed = False
        self._wake: Callable[[], None] | None = None

    # What the application calls.

    def send_content(self, content: Content | dict[str, Any] | str, *, partial: bool = False) -> None:
        """Sends one user turn. A `str` is a text turn; `partial=True` leaves the turn open.

        Raises `InvalidContent`, `QueueClosed`, or Pydantic's `ValidationError` for a malformed dict.
        """
        if isinstance(content, str):
            content = Content(role="user", parts=[Part.from_text(text=content)])
        else:
            content = _read(
                Content,
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
        blob = _read(
            Blob,
            blob,
            "send_realtime takes a Blob, or a dict of its fields: "
            'wrap bytes as types.Blob(data=…, mime_type="audio/pcm;rate=16000").',
        )
        self._put_media(blob, check_blob(blob))

    def send_activity_start(self) -> None:
        """The user began to speak; only with automatic activity detection disabled (contract 6.4)."""
        self._put_control(LiveRequest.trusted(activity_start=ActivityStart()))

    def send_activity_end(self) -> None:
        """The user has finished speaking; only with automatic activity detection disabled."""
        self._put_control(LiveRequest.trusted(activity_end=ActivityEnd()))

    def send_audio_stream_end(self) -> None:
        """The microphone was switched off; what the model holds back is flushed. Audio reopens the stream."""
        self._put_control(LiveRequest.trusted(audio_stream_end=True))

    def send(self, request: LiveRequest | dict[str, Any]) -> None:
        """Sends a ready-made request, or a dict of its fields."""
        request = _read(
            LiveRequest,
            request,
            "send takes a LiveRequest, or a dict of its fields; see also send_content and send_realtime.",
        )
        if request.close:
            self._close(request)
        elif request.blob is not None:
            seconds = check_blob(request.blob)
            if request.state_delta:  # it lands even when the media is shed
                self._put_control(LiveRequest.trusted(state_delta=request.state_delta))
            self._put_media(request.blob, seconds)
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
        return self._dropped

    # What the runtime and streaming tools call.

    def attach(self, wake: Callable[[], None]) -> None:
        """Claims the queue; `wake` is called, from any thread, when there is something to `take`.

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
            self._wake = wake

    def detach(self) -> None:
        """Gives the queue back; what still waits in it stays."""
        with self._lock:
            self._wake = None

    def take(self) -> LiveRequest | Blob | None:
        """The next request in order, or `None`. Media is a bare blob; what came with it stands before it."""
        with self._lock:
            if self._media and (not self._control or self._media[0][0] < self._control[0][0]):
                return self._pop_media()
            self._in_burst = False
            return self._control.popleft()[1] if self._control else None

    async def get(self) -> LiveRequest:
        """Waits for the next request; for tools that read a copy of the media (contract 5.7)."""
        loop = asyncio.get_running_loop()
        while (taken := self.take()) is None:
            arrived = loop.create_future()
            self.attach(partial(_resolve, loop, arrived))
            try:
                if not self.depth:
                    await arrived
            finally:
                self.detach()
        return LiveRequest.trusted(blob=taken) if isinstance(taken, Blob) else taken

    def _put_control(self, request: LiveRequest) -> None:
        with self._lock:
            self._refuse_if_closed()
            self._control.append((self._order, request))
            self._order += 1
            wake = self._wake
        if wake is not None:
            wake()

    def _put_media(self, media: Blob, seconds: float) -> None:
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
                self._pop_media()
                self._dropped += 1
                report, self._in_burst = not self._in_burst or report, True
        if report:
            log.warning("The model cannot keep up; dropping the oldest media (%d so far).", self._dropped)
        if wake is not None:
            wake()

    def _pop_media(self) -> Blob:
        _, media, seconds = self._media.popleft()
        self._waiting_audio -= seconds
        self._waiting_images -= not seconds
        return media

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise QueueClosed("The queue is closed: nothing can be sent after close().")


def _resolve(loop: asyncio.AbstractEventLoop, future: asyncio.Future[None]) -> None:
    loop.call_soon_threadsafe(_set, future)


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
