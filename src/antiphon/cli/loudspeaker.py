"""`Loudspeaker`: what the agent says on its way to a device, and how far it has been heard.

Rule 1  The device takes what it plays next, at its own pace and in its own thread; where nothing waits it
        gets silence.
Rule 2  What was taken is heard `latency` seconds later, and not before counts as played.
Rule 3  A flush drops what was not taken; that is all that can still be kept from being heard.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Final

from antiphon.cli.voices import LOUDSPEAKER

__all__ = ["LONGEST", "Loudspeaker"]

LONGEST: Final = 600.0
"""Seconds of speech that may wait to be played; what comes when it is full is left out."""
_BYTES: Final = LOUDSPEAKER * 2


class Loudspeaker:
    """24 kHz 16-bit mono PCM. May be used from several threads."""

    def __init__(self) -> None:
        self.latency = 0.0
        """Seconds from `take` to the ear."""
        self._lock = threading.Lock()
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._bytes = 0
        """Of what waits."""
        self._taken: deque[tuple[int | None, int]] = deque()
        """What is under way to the ear: of which answer, and how many bytes; silence is of none."""
        self._under_way = 0
        self._heard: tuple[int, int] | None = None

    def speaks(self, turn: int, pcm: bytes) -> None:
        """The next chunk of an answer; `turn` counts the turns that were complete before it."""
        with self._lock:
            if self._bytes < LONGEST * _BYTES:
                self._waiting.append((turn, pcm))
                self._bytes += len(pcm)

    def take(self, size: int) -> bytes:
        """What is played next: this many bytes, an even number."""
        pieces: list[bytes] = []
        with self._lock:
            left = size
            while left and self._waiting:
                turn, pcm = self._waiting.popleft()
                piece = pcm[:left]
                if len(pcm) > left:
                    self._waiting.appendleft((turn, pcm[left:]))
                self._gone(turn, len(piece))
                self._bytes -= len(piece)
                left -= len(piece)
                pieces.append(piece)
            if left:
                self._gone(None, left)
                pieces.append(bytes(left))
        return b"".join(pieces)

    def flush(self) -> None:
        """Drops what waits."""
        with self._lock:
            self._waiting.clear()
            self._bytes = 0

    @property
    def playing(self) -> bool:
        """Whether speech waits, or is under way to the ear."""
        with self._lock:
            return bool(self._waiting) or any(turn is not None for turn, _ in self._taken)

    @property
    def played(self) -> tuple[int, float] | None:
        """The answer that was heard last, and how many milliseconds of it; `None` before the first."""
        with self._lock:
            return None if self._heard is None else (self._heard[0], self._heard[1] * 1000 / _BYTES)

    def _gone(self, turn: int | None, size: int) -> None:
        self._taken.append((turn, size))
        self._under_way += size
        late = self.latency * _BYTES
        while self._taken and self._under_way - self._taken[0][1] >= late:
            of, heard = self._taken.popleft()
            self._under_way -= heard
            if of is not None:
                before = self._heard[1] if self._heard is not None and self._heard[0] == of else 0
                self._heard = of, before + heard
