"""What of the agent's speech is to be played, and how much of each answer has reached the ear."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon.client.items import Audio

__all__ = ["Player"]

FIRST: Final = 0.25
"""Seconds of an answer that are heard before it is first reported (protocol 3.3)."""
EVERY: Final = 0.5
"""Seconds of it between two reports."""


@dataclass(slots=True)
class _Piece:
    stream: int
    pcm: memoryview


@dataclass(slots=True)
class _OnItsWay:
    """Samples given to the device, heard from `begins` on; in samples since the device began."""

    stream: int
    begins: int
    samples: int


class Player:
    """A jitter buffer whose clock is the sound device: it asks for what it plays next, and so time passes.

    `add` what comes, `flush` what is not to be played any more, and have the device call `read`. `report`
    is called with an answer's stream and the milliseconds of it that were heard: after 250 ms, then every
    500 ms, and once it was flushed or has ended: give `Conversation.report_playback`. `latency` are the
    seconds from `read` to the ear. Any thread may call; `report` is called by the one that reads or
    flushes.
    """

    def __init__(self, rate: int, report: Callable[[int, int], object], latency: float = 0.0) -> None:
        self.rate = rate
        self._report = report
        self._latency = round(latency * rate)
        self._lock = Lock()
        self._waiting: deque[_Piece] = deque()
        self._leaving: deque[_OnItsWay] = deque()
        self._clock = 0
        self._heard: dict[int, int] = {}
        self._told: dict[int, int] = {}
        self._flushed = 0

    @property
    def seconds(self) -> float:
        """How much waits to be played."""
        with self._lock:
            return sum(len(piece.pcm) for piece in self._waiting) / 2 / self.rate

    def add(self, audio: Audio) -> None:
        """Plays this after what came before. Raises `ValueError` for sound of another rate."""
        if audio.rate != self.rate:
            raise ValueError(f"Sound at {audio.rate} Hz for a player at {self.rate} Hz: resample it before.")
        with self._lock:
            if audio.stream > self._flushed:
                self._waiting.append(_Piece(audio.stream, memoryview(audio.pcm)))

    def flush(self, stream: int) -> None:
        """Nothing more is played of this answer, nor of those before it; tells how much of each was heard."""
        with self._lock:
            self._flushed = max(self._flushed, stream)
            ended = sorted({stream, *(each for each in self._under_way() if each < stream)})
            self._waiting = deque(piece for piece in self._waiting if piece.stream > stream)
            reports = [self._told_now(each) for each in ended]
        self._tell(reports)

    def read(self, samples: int) -> bytes:
        """The next samples for the device, silence where there are none: 16-bit little-endian mono PCM."""
        with self._lock:
            pcm = self._taken(samples)
            reports = self._pass(samples)
        self._tell(reports)
        return pcm

    def _tell(self, reports: list[tuple[int, int]]) -> None:
        for stream, played in reports:
            self._report(stream, played)

    def _taken(self, samples: int) -> bytes:
        out = bytearray()
        while self._waiting and len(out) < 2 * samples:
            piece = self._waiting[0]
            part = piece.pcm[: 2 * samples - len(out)]
            self._leaving.append(
                _OnItsWay(piece.stream, self._clock + len(out) // 2 + self._latency, len(part) // 2)
            )
            out += part
            piece.pcm = piece.pcm[len(part) :]
            if not piece.pcm:
                self._waiting.popleft()
        return bytes(out.ljust(2 * samples, b"\0"))

    def _pass(self, samples: int) -> list[tuple[int, int]]:
        """The device's clock goes on; returns what is to be reported."""
        self._clock += samples
        while self._leaving and (piece := self._leaving[0]).begins < self._clock:
            heard = min(piece.samples, self._clock - piece.begins)
            self._heard[piece.stream] = self._heard.get(piece.stream, 0) + heard
            piece.begins += heard
            piece.samples -= heard
            if piece.samples:
                break
            self._leaving.popleft()
        under_way = self._under_way()
        reports = []
        for stream in list(self._heard):
            new = self._milliseconds(stream) - self._told.get(stream, 0)
            if new >= 1000 * (EVERY if stream in self._told else FIRST) or (new and stream not in under_way):
                reports.append(self._told_now(stream))
        newest = max(self._heard, default=0)  # what is before it and not under way is over
        self._heard = {each: heard for each, heard in self._heard.items() if each in under_way | {newest}}
        self._told = {each: told for each, told in self._told.items() if each in self._heard}
        return reports

    def _under_way(self) -> set[int]:
        return {piece.stream for piece in self._waiting} | {piece.stream for piece in self._leaving}

    def _told_now(self, stream: int) -> tuple[int, int]:
        self._told[stream] = played = self._milliseconds(stream)
        return stream, played

    def _milliseconds(self, stream: int) -> int:
        return 1000 * self._heard.get(stream, 0) // self.rate
