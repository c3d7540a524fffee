"""`Playout`: speech on its way to the client, in chunks, and no faster than it is heard.

Rule 1  What was sent is never more than `ahead` seconds of sound before what is being heard: so it is known
        what was said, and whoever is cut off is silent soon.
Rule 2  A word goes out with the chunk in which it begins, before its sound.
Rule 3  A chunk that is not full waits for more as long as the sound that was sent lasts, and no longer.
Rule 4  What is held stays where it is; what is cut is gone.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

__all__ = ["CHUNK_SECONDS", "SPOKEN_RATE", "Chunk", "Mark", "Playout"]

SPOKEN_RATE: Final = 24_000
"""Hertz of what is sent: 16-bit little-endian mono PCM."""
CHUNK_SECONDS: Final = 0.04
_BYTES_PER_SECOND: Final = SPOKEN_RATE * 2
_CHUNK: Final = int(CHUNK_SECONDS * _BYTES_PER_SECOND)
_MARGIN: Final = 0.02
"""Seconds before the sound runs out at which a chunk goes that is not full."""
_EPSILON: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Chunk:
    """What goes out at once; either may be empty, not both."""

    words: str
    pcm: bytes


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in what was added."""

    at: int
    """Bytes of sound before it, since the beginning."""
    words: int
    """Pieces of words before it."""


class Playout:
    """What one conversation's agent is about to say. Pure; `now` in seconds of any clock."""

    def __init__(self, ahead: float) -> None:
        self._ahead = max(ahead, CHUNK_SECONDS)
        self._pcm = bytearray()
        self._taken = 0
        """Bytes that are gone from the front since the beginning."""
        self._words: deque[tuple[int, str]] = deque()
        self._added = 0
        """Pieces of words since the beginning."""
        self._until = float("-inf")
        self.held = False

    @property
    def empty(self) -> bool:
        """Whether everything that was added is sent."""
        return not self._pcm and not self._words

    @property
    def seconds(self) -> float:
        """Of sound that is not sent."""
        return len(self._pcm) / _BYTES_PER_SECOND

    @property
    def until(self) -> float:
        """When all that was sent has been heard."""
        return self._until

    def add(self, words: str, pcm: bytes) -> None:
        """Says these words with this sound after everything else."""
        if words:
            self._words.append((self._taken + len(self._pcm), words))
            self._added += 1
        self._pcm += pcm

    def mark(self) -> Mark:
        """Where what is added next begins; for `drop`."""
        return Mark(self._taken + len(self._pcm), self._added)

    def take(self, now: float, *, more: bool) -> list[Chunk]:
        """What is to be sent now. `more` says that more will be added soon (rule 3)."""
        chunks: list[Chunk] = []
        while not self.held and self._pcm and self._due(now, more=more):
            pcm = bytes(self._pcm[:_CHUNK])
            del self._pcm[:_CHUNK]
            self._taken += len(pcm)
            self._until = max(self._until, now) + len(pcm) / _BYTES_PER_SECOND
            chunks.append(Chunk(self._begun(self._taken), pcm))
        if self._words and not (self.held or self._pcm or more):
            chunks.append(Chunk(self._begun(self._taken + 1), b""))  # words that have no sound
        return chunks

    def next(self, *, more: bool) -> float | None:
        """When `take` will have something, as far as that is known now; `None` for not before `add`."""
        if self.held or not self._pcm:
            return None
        return self._until - (_MARGIN if more and len(self._pcm) < _CHUNK else self._ahead - CHUNK_SECONDS)

    def cut(self, now: float) -> None:
        """Drops what was not sent; the client drops what it has not played."""
        self._pcm.clear()
        self._words.clear()
        self._until = min(self._until, now)
        self.held = False

    def drop(self, since: Mark | None = None) -> None:
        """Drops what was not sent, all or since the mark; what was sent is played to its end."""
        since = since or Mark(0, 0)
        del self._pcm[max(since.at - self._taken, 0) :]
        for _ in range(min(self._added - since.words, len(self._words))):
            self._words.pop()

    def _due(self, now: float, *, more: bool) -> bool:
        at = self.next(more=more)
        return at is not None and now >= at - _EPSILON

    def _begun(self, end: int) -> str:
        words = ""
        while self._words and self._words[0][0] < end:
            words += self._words.popleft()[1]
        return words
