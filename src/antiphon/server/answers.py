"""The agent's answers on their way to clients: events apart from their sound (protocol 2, 4.2, 4.3).

Rule 1  An answer is a stream: the sound between two ends of a turn. What follows an interruption is a new
        one.
Rule 2  The first event that is marked `interrupted` flushes the newest stream, once.
Rule 3  Of the newest stream is kept what was not played yet, for clients that come back: `answer_seconds`
        at most, and nothing once it was flushed.
Rule 4  An event is written as JSON at most once with its sound and once without, however many clients there
        are.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from antiphon.errors import UnknownMimeType
from antiphon.events import EventActions
from antiphon.requests import pcm_rate
from antiphon.server.wire import pcm_frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    from antiphon.events import Event
    from antiphon.types import Part

__all__ = ["Answers", "Sound", "Told"]

STREAMS_KNOWN: Final = 16
"""Answers of which it is known to which turn they belong: playback of older ones is no news."""

_ENVELOPE: Final = frozenset(
    ("id", "invocation_id", "author", "timestamp", "custom_metadata", "branch", "content", "actions")
)
_NOTHING: Final = EventActions()


@dataclass(slots=True, init=False)
class Sound:
    """A chunk of an answer. `begins` and `seconds` place it in its answer; `frame` is ready to be sent."""

    stream: int
    number: int
    begins: float
    seconds: float
    frame: bytes | str

    def __init__(self, stream: int, number: int, begins: float, seconds: float, frame: bytes | str) -> None:
        self.stream = stream
        self.number = number
        self.begins = begins
        self.seconds = seconds
        self.frame = frame


class Told:
    """An event as clients get it: its sounds, and the rest of it as JSON, made when first asked for."""

    __slots__ = ("_bare", "_whole", "event", "flush", "only_sound", "sounds")

    def __init__(self, event: Event, sounds: tuple[Sound, ...], only_sound: bool, flush: int | None) -> None:
        self.event = event
        self.sounds = sounds
        self.only_sound = only_sound
        self.flush = flush
        """The stream that is never to be played on, to be told before the event."""
        self._bare: str | None = None
        self._whole: str | None = None

    @property
    def whole(self) -> str:
        """The event's wire form, with its sound in base64 (contract 3.1)."""
        if self._whole is None:
            self._whole = self.event.model_dump_json(exclude_none=True, by_alias=True)
        return self._whole

    @property
    def bare(self) -> str | None:
        """The same without its sound; `None` when nothing is left."""
        if self.only_sound:
            return None
        if not self.sounds:
            return self.whole
        if self._bare is None:
            content = self.event.content
            assert content is not None
            parts = [part for part in content.parts or [] if _rate(part) is None]
            left = content.model_copy(update={"parts": parts}) if parts else None
            bare = self.event.model_copy(update={"content": left})
            self._bare = bare.model_dump_json(exclude_none=True, by_alias=True)
        return self._bare


class Answers:
    """The answers of one conversation; times are seconds since it began."""

    def __init__(self, answer_seconds: float) -> None:
        self._most = answer_seconds
        self._turns = 0
        self._turn_of: dict[int, int] = {}
        self._turn = 0
        self._stream = 0
        self._flushed = True
        self._number = 0
        self._length = 0.0
        # What is kept, without an object for each that the garbage collector would look at.
        self._frames: list[bytes] = []
        self._ends: list[float] = []
        self._begins = 0.0

    def tell(self, event: Event, now: float) -> Told:
        """What is to be told of an event; called once for each, in order."""
        flush = None
        if event.interrupted and not self._flushed:
            flush, self._flushed = self._stream, True
            self._forget(len(self._frames))
        sounds: tuple[Sound, ...] = ()
        only = False
        content = event.content
        if content is not None and content.parts:
            sounds = tuple(self._sounds(content.parts, now))
            only = len(sounds) == len(content.parts) and _says_no_more(event)
        if event.turn_complete:
            self._turns += 1
        return Told(event, sounds, only, flush)

    def speak(self, data: bytes, mime_type: str, now: float) -> Sound | None:
        """A chunk of the answer that is no event; `None` for what cannot go as media."""
        rate = _media_rate(mime_type)
        return self._add(data, rate, now) if data and rate else None

    def stop(self, stream: int) -> int | None:
        """The stream to flush since the user wants no more of it; `None` if it is not the newest."""
        if stream != self._stream or self._flushed:
            return None
        self._flushed = True
        self._forget(len(self._frames))
        return stream

    def turn(self, stream: int) -> int | None:
        """How many `turn_complete` events came before the answer; `None` for an unknown one."""
        return self._turn_of.get(stream)

    def played(self, stream: int, seconds: float) -> None:
        """So much of an answer was heard."""
        if stream == self._stream:
            self._forget(bisect_right(self._ends, seconds))

    def left(self, stream: int = 0, number: int = -1) -> list[Sound]:
        """What still makes sense of the newest answer after this frame: of another answer, all of it."""
        after = number if stream == self._stream else -1
        first, begins = self._number - len(self._frames), [self._begins, *self._ends]
        return [
            Sound(self._stream, first + at, begins[at], begins[at + 1] - begins[at], frame)
            for at, frame in enumerate(self._frames)
            if first + at > after
        ]

    def _sounds(self, parts: list[Part], now: float) -> Iterator[Sound]:
        for part in parts:
            if (rate := _rate(part)) is not None:
                blob = part.inline_data
                assert blob is not None and blob.data is not None
                yield self._add(blob.data, rate, now)

    def _add(self, data: bytes, rate: int, now: float) -> Sound:
        if self._flushed or self._turn != self._turns:
            self._begin()
        frame = pcm_frame(data, rate, self._stream, self._number, int(now * 1000))
        sound = Sound(self._stream, self._number, self._length, len(data) / (2 * rate), frame)
        self._number += 1
        self._length += sound.seconds
        self._frames.append(frame)
        self._ends.append(self._length)
        while self._length - self._begins > self._most and len(self._frames) > 1:
            self._forget(1)
        return sound

    def _forget(self, frames: int) -> None:
        """The oldest of what is kept is needed no more."""
        if frames:
            self._begins = self._ends[frames - 1]
            del self._frames[:frames], self._ends[:frames]

    def _begin(self) -> None:
        self._stream += 1
        self._forget(len(self._frames))
        self._flushed, self._number, self._length, self._begins = False, 0, 0.0, 0.0
        self._turn = self._turn_of[self._stream] = self._turns
        self._turn_of.pop(self._stream - STREAMS_KNOWN, None)


def _rate(part: Part) -> int | None:
    """Hertz of the part if it is sound that goes as media."""
    blob = part.inline_data
    return _media_rate(blob.mime_type or "") if blob is not None and blob.data else None


@lru_cache(maxsize=64)
def _media_rate(mime_type: str) -> int | None:
    """Hertz of sound that goes as media; `None` for all else."""
    if not mime_type.startswith("audio/pcm"):
        return None
    try:
        rate = pcm_rate(mime_type)
    except UnknownMimeType:
        return None
    return rate if rate and rate % 100 == 0 and rate < 6_553_600 else None


def _says_no_more(event: Event) -> bool:
    return event.actions == _NOTHING and all(
        value is None for name, value in event.__dict__.items() if name not in _ENVELOPE
    )
