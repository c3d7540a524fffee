"""`Backlog`: what came from the user's microphone and was not listened to yet.

Rule 1  What comes is listened to in its order, marks of the client's among it.
Rule 2  Audio may come in a burst, faster than it was spoken: it is due as if it came as it was spoken.
Rule 3  What is overdue by more than `LATE` seconds shows that this machine does not keep up: of what is
        overdue, all but `KEPT` seconds is left out, silence first, and of that the oldest.
Rule 4  More than `MOST` seconds are not kept, whatever their due: the oldest go.
"""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass
from typing import Final, TypeAlias

from antiphon.core.messages import ActivityEnded, ActivityStarted, StreamEnded

__all__ = ["FULL", "KEPT", "LATE", "MOST", "Backlog", "Item", "Late", "Piece", "Speaking"]

LATE: Final = 2.0
KEPT: Final = 0.5
FULL: Final = 30.0
"""Seconds from which on more had better wait elsewhere."""
MOST: Final = 120.0
BURST: Final = 60.0
"""Seconds of audio that may come before they were spoken, at most."""

_PIECE_SECONDS: Final = 0.1
_QUIET: Final = 500
"""The highest sample, of 32767, in what passes for silence when something has to go."""


@dataclass(slots=True)
class Piece:
    """Up to a tenth of a second of audio, 16-bit mono; may end in the middle of a sample."""

    pcm: bytearray
    rate: int
    came: float
    due: float

    @property
    def seconds(self) -> float:
        return len(self.pcm) / 2 / self.rate

    @property
    def quiet(self) -> bool:
        samples = array("h", bytes(self.pcm[: len(self.pcm) & ~1]))
        return not samples or max(max(samples), -min(samples)) < _QUIET


@dataclass(frozen=True, slots=True)
class Speaking:
    """The agent begins to be heard, or stops."""

    speaking: bool


@dataclass(frozen=True, slots=True)
class Late:
    """Nothing has come for long."""

    now: float


Item: TypeAlias = Piece | Speaking | Late | ActivityStarted | ActivityEnded | StreamEnded


class Backlog:
    """Pure; `now` in seconds of any clock."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._due = float("-inf")
        self.seconds = 0.0
        """Of audio that waits."""

    def __bool__(self) -> bool:
        return bool(self._items)

    def add(self, pcm: bytes, rate: int, now: float) -> float:
        """The next audio; returns the seconds that are left out for it (rules 3 and 4)."""
        size = int(_PIECE_SECONDS * rate) * 2
        at = 0
        last = self._items[-1] if self._items else None
        if isinstance(last, Piece) and last.rate == rate and len(last.pcm) < size:
            at = min(size - len(last.pcm), len(pcm))
            last.pcm += pcm[:at]  # chunks of any length make pieces that are worth a job
            last.came = now
            self._later(at / 2 / rate, now)
        for begin in range(at, len(pcm), size):
            piece = Piece(bytearray(pcm[begin : begin + size]), rate, now, 0.0)
            piece.due = self._later(piece.seconds, now)
            self._items.append(piece)
        self.seconds += len(pcm) / 2 / rate
        return self._shed(now)

    def mark(self, item: Speaking | Late | ActivityStarted | ActivityEnded | StreamEnded) -> None:
        """Something happened at this place of the audio."""
        self._items.append(item)

    def take(self, seconds: float) -> list[Item]:
        """What is to be listened to next, in order: so much audio, and the marks in it."""
        taken: list[Item] = []
        while self._items and seconds > 1e-6:
            item = self._items.popleft()
            if isinstance(item, Piece):
                seconds -= item.seconds
                self.seconds = max(self.seconds - item.seconds, 0.0)
            taken.append(item)
        return taken

    def _later(self, seconds: float, now: float) -> float:
        """When audio is due that comes now after all that came before (rule 2)."""
        due = max(now, min(self._due, now + BURST))
        self._due = due + seconds
        return due

    def _shed(self, now: float) -> float:
        oldest = next((item for item in self._items if isinstance(item, Piece)), None)
        if oldest is None:
            return 0.0
        gone = self._drop(self.seconds - MOST, now=float("inf"), silence=False)
        if now - oldest.due > LATE:
            overdue = [each for each in self._items if isinstance(each, Piece) and each.due <= now]
            excess = sum(each.seconds for each in overdue) - KEPT
            silence = self._drop(excess, now, silence=True)
            gone += silence + self._drop(excess - silence, now, silence=False)
        return gone

    def _drop(self, seconds: float, now: float, *, silence: bool) -> float:
        """Leaves out the oldest that was due by `now`, up to so much; returns how much that was."""
        if seconds <= 0:
            return 0.0
        kept: deque[Item] = deque()
        gone = 0.0
        for item in self._items:
            if (
                isinstance(item, Piece)
                and gone < seconds - 1e-6
                and item.due <= now
                and (not silence or item.quiet)
            ):
                even = len(item.pcm) & ~1  # what follows half a sample makes sense with it only
                gone += even / 2 / item.rate
                del item.pcm[:even]
            if not isinstance(item, Piece) or item.pcm:
                kept.append(item)
        self._items = kept
        self.seconds = max(self.seconds - gone, 0.0)
        return gone
