"""The whole conversation on the disk: one side per voice, each a file of bare PCM at one rate.

Silence is a hole in the file. What is at another rate is resampled by soxr as it comes; chunks that follow
each other go through one run of it, so that nothing clicks where they meet.
"""

from __future__ import annotations

import importlib
import logging
import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from antiphon.errors import MissingExtra
from antiphon.runtime import wav
from antiphon.runtime.spool import CONVERSATION

if TYPE_CHECKING:
    from pathlib import Path

    from antiphon.core.commands import Speaker
    from antiphon.runtime.spool import Spool

__all__ = ["LONGEST", "RATE", "Side", "Stereo", "check_resampler", "put_together"]

log = logging.getLogger(__name__)

RATE: Final = 24_000
"""Hertz of the timeline: what models speak at, so that their voice is kept as it came."""
LONGEST: Final = (2**32 - 1024) // 4
"""Samples that a stereo WAV can hold: 12.4 hours. What comes later is left out."""


def check_resampler() -> None:
    """Raises `MissingExtra` when what brings voices to one rate is not installed."""
    if find_spec("soxr") is None:
        raise MissingExtra(
            "Recording a whole conversation needs soxr: pip install 'antiphon[recording]', "
            "or leave RunConfig(record_conversation=) out."
        )


class Side:
    """One voice on the timeline. Its methods block, and raise `OSError`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._next = 0
        self._rate = RATE
        self._resampler: Any = None
        self._full = False

    def place(self, pcm: bytes, rate: int, at: float | None) -> None:
        """Lays 16-bit PCM `at` seconds, or after what was laid last."""
        if at is not None or rate != self._rate:
            self.finish()
            self._rate = rate
        if at is not None:
            self._next = round(at * RATE)
        pcm = pcm[: len(pcm) // 2 * 2]
        self._write(pcm if rate == RATE else self._resampled(pcm, last=False))

    def cut(self, at: float) -> None:
        """Takes away what lies after `at` seconds."""
        self.finish()
        self._next = min(self._next, round(at * RATE))
        if self._path.exists() and self._path.stat().st_size > 2 * self._next:
            os.truncate(self._path, 2 * self._next)

    def finish(self) -> None:
        """Writes what the resampler has kept back."""
        if self._resampler is not None:
            self._write(self._resampled(b"", last=True))
            self._resampler = None

    def _resampled(self, pcm: bytes, *, last: bool) -> bytes:
        numpy, soxr = importlib.import_module("numpy"), importlib.import_module("soxr")
        if self._resampler is None:
            self._resampler = soxr.ResampleStream(self._rate, RATE, 1, dtype="int16")
        samples = numpy.frombuffer(pcm, "<i2").astype("int16")
        made: bytes = self._resampler.resample_chunk(samples, last=last).astype("<i2").tobytes()
        return made

    def _write(self, pcm: bytes) -> None:
        if self._next + len(pcm) // 2 > LONGEST:
            if not self._full:
                log.warning("%s is as long as a WAV can be; what comes now is left out.", self._path)
            self._full = True
            return
        with wav.open_private(self._path) as file:
            file.seek(2 * self._next)
            file.write(pcm)
        self._next += len(pcm) // 2


class Stereo:
    """Both voices: the user is left, the model right."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._sides: dict[Speaker, Side] = {
            "user": Side(spool.path(f"{CONVERSATION}_user.pcm")),
            "model": Side(spool.path(f"{CONVERSATION}_model.pcm")),
        }

    def place(self, speaker: Speaker, pcm: bytes, rate: int, at: float | None) -> None:
        self._spool.open()
        self._sides[speaker].place(pcm, rate, at)

    def cut(self, at: float) -> None:
        """The model is not heard after `at` seconds."""
        self._sides["model"].cut(at)

    def write(self) -> None:
        """Makes the WAV of what was laid down."""
        for side in self._sides.values():
            side.finish()
        put_together(self._spool)


def put_together(spool: Spool) -> None:
    """Makes the WAV of the sides that are in the spool, also of what another process has left there."""
    left, right = (spool.path(f"{CONVERSATION}_{voice}.pcm") for voice in ("user", "model"))
    wav.interleave(left, right, RATE, spool.path(f"{CONVERSATION}.wav"))
