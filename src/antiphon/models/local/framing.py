"""Whatever comes over the wire, in frames for a detector: any rate, pieces of any length, odd bytes."""

from __future__ import annotations

from typing import Any, Final

from antiphon.errors import MissingExtra, UsageError
from antiphon.models.local.vad import FRAME_BYTES, RATE

__all__ = ["HIGHEST_RATE", "LOWEST_RATE", "Framing"]

LOWEST_RATE: Final = 4_000
HIGHEST_RATE: Final = 192_000

ROUGHER: Final = 4.0
ROUGH: Final = 1_000.0
"""How much more samples jump, at least, that are made of halves which do not belong together."""
_ENOUGH: Final = 320
"""Bytes that tell."""


class Framing:
    """Cuts one stream of 16-bit little-endian mono PCM into frames of `FRAME_BYTES` at `RATE`.

    Holds back less than one frame (and, when it resamples, some milliseconds more). A stream whose rate
    changes begins anew there: half a sample left over is dropped. So it is where the rest makes sense only
    without it: whoever lost a byte is not heard as noise from then on.
    """

    def __init__(self) -> None:
        self._rate = RATE
        self._resampler: Any = None
        self._odd = b""
        self._waiting = bytearray()

    def feed(self, pcm: bytes, rate: int = RATE) -> list[bytes]:
        """The frames that are complete now; `rate` in hertz.

        Raises `UsageError` for a rate that no sound has, and `MissingExtra`.
        """
        if rate != self._rate:
            self._begin(rate)
        data = self._odd + pcm
        if self._odd and _rough(data) > ROUGHER * _rough(pcm) + ROUGH:
            data = pcm
        even = len(data) & ~1
        self._odd = data[even:]
        self._waiting += self._resampled(data[:even], last=False)
        return self._complete()

    def end(self) -> list[bytes]:
        """The stream is over: what was held back, with silence up to a whole frame; at most a few frames."""
        self._waiting += self._resampled(b"", last=True)
        self._odd = b""
        if rest := len(self._waiting) % FRAME_BYTES:
            self._waiting += bytes(FRAME_BYTES - rest)
        if self._resampler is not None:
            self._resampler.clear()
        return self._complete()

    def _begin(self, rate: int) -> None:
        if not LOWEST_RATE <= rate <= HIGHEST_RATE:
            raise UsageError(
                f"Audio of {rate} Hz: name its real rate, between {LOWEST_RATE} and {HIGHEST_RATE} Hz."
            )
        resampler = None
        if rate != RATE:
            try:
                import soxr
            except ImportError as missing:
                raise MissingExtra(
                    f"Audio of {rate} Hz needs resampling: pip install 'antiphon[voice]', or send {RATE} Hz."
                ) from missing
            resampler = soxr.ResampleStream(rate, RATE, 1, dtype="int16")
        self._rate, self._resampler, self._odd = rate, resampler, b""

    def _resampled(self, pcm: bytes, *, last: bool) -> bytes:
        if self._resampler is None:
            return pcm
        import numpy

        return bytes(self._resampler.resample_chunk(numpy.frombuffer(pcm, "<i2"), last=last).tobytes())

    def _complete(self) -> list[bytes]:
        whole = len(self._waiting) - len(self._waiting) % FRAME_BYTES
        frames = [bytes(self._waiting[at : at + FRAME_BYTES]) for at in range(0, whole, FRAME_BYTES)]
        del self._waiting[:whole]
        return frames


def _rough(pcm: bytes) -> float:
    """How far it is from sample to sample; 0 where there are too few to tell."""
    import numpy

    if len(pcm) < _ENOUGH:
        return 0.0
    samples = numpy.frombuffer(pcm[: len(pcm) & ~1], "<i2").astype(numpy.int32)
    return float(numpy.abs(numpy.diff(samples)).mean())
