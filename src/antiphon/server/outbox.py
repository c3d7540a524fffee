"""What waits for one socket: control, which is never shed, and sound, which is (protocol 5, contract 8.4).

Rule 1  Everything leaves in the order it came, but for what was shed or flushed.
Rule 2  A socket that has taken nothing for `STALLED` seconds has at most `audio_buffer` seconds of sound
        waiting; what is older is shed. One that is merely slow is given `MOST` seconds.
Rule 3  What was shed is counted, stream by stream, until it was announced. Nobody is told of what was
        flushed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from antiphon.server.answers import Sound

__all__ = ["STALLED", "Outbox"]

STALLED: Final = 1.5
"""Seconds: what the buffers of a socket hold lasts for about one."""
MOST: Final = 300.0
"""Seconds of sound that wait for a socket which takes it slowly."""

_T = TypeVar("_T")


class Outbox(Generic[_T]):
    """Two lanes, one order; times are seconds of any clock."""

    def __init__(self, audio_buffer: float) -> None:
        self._audio_buffer = audio_buffer
        self._control: list[tuple[int, _T]] = []
        self._sounds: list[tuple[int, Sound, float]] = []
        self._order = 0
        self._waiting = 0.0
        self._missing: dict[int, tuple[int, int]] = {}
        self._sending_since: float | None = None
        self.shed = 0
        """Sounds shed so far."""

    @property
    def controls(self) -> int:
        """Control messages that wait."""
        return len(self._control)

    @property
    def empty(self) -> bool:
        """Whether nothing waits, nor is to be announced."""
        return not (self._sounds or self._control or self._missing)

    def sending(self, now: float | None) -> None:
        """The socket is being given something; `None` when it has taken it."""
        self._sending_since = now

    def put(self, message: _T) -> None:
        self._control.append((self._order, message))
        self._order += 1

    def put_sound(self, sound: Sound, now: float) -> None:
        self._add(sound, sound.seconds)
        since = self._sending_since
        most = self._audio_buffer if since is not None and now - since >= STALLED else MOST
        while self._waiting > most and len(self._sounds) > 1:
            self._shed()

    def put_again(self, sounds: Iterable[Sound]) -> None:
        """What a client that came back has missed: it may be more than `audio_buffer`."""
        for sound in sounds:
            self._add(sound, 0.0)

    def miss(self, stream: int, number: int, frames: int) -> None:
        """This will not come, and is to be announced."""
        first, count = self._missing.get(stream, (number, 0))
        self._missing[stream] = (first, count + frames)

    def flush(self, stream: int) -> None:
        """Sound of this stream, and of all before it, is not to be sent any more."""
        self._sounds = [each for each in self._sounds if each[1].stream > stream]
        self._waiting = sum(counted for _, _, counted in self._sounds)
        self._missing = {each: gap for each, gap in self._missing.items() if each > stream}

    def drop_sounds(self) -> None:
        """The socket is gone; what is missing is found out when the client comes back."""
        self._sounds.clear()
        self._waiting, self._sending_since = 0.0, None
        self._missing.clear()

    def take_missing(self) -> tuple[int, int, int] | None:
        """Stream, first number and count of what was shed and not announced yet."""
        for stream in self._missing:
            first, count = self._missing.pop(stream)
            return stream, first, count
        return None

    def take(self) -> _T | Sound | None:
        """The next to be sent, or `None`."""
        if self._sounds and (not self._control or self._sounds[0][0] < self._control[0][0]):
            _, sound, counted = self._sounds.pop(0)
            self._waiting -= counted
            return sound
        return self._control.pop(0)[1] if self._control else None

    def _add(self, sound: Sound, counted: float) -> None:
        self._sounds.append((self._order, sound, counted))
        self._order += 1
        self._waiting += counted

    def _shed(self) -> None:
        _, sound, counted = self._sounds.pop(0)
        self._waiting -= counted
        self.miss(sound.stream, sound.number, 1)
        self.shed += 1
