"""Ears and a voice for the emulated model: voice activity by energy, and speech as soft tones. Pure.

Sound is 16-bit little-endian mono PCM; what is heard is at 16 kHz unless its MIME type says otherwise, what
is spoken at 24 kHz. Time in here is the audio's own, in seconds of samples: how fast they come is no matter.
"""

from __future__ import annotations

import math
import sys
from array import array
from dataclasses import dataclass
from functools import lru_cache
from operator import mul
from typing import Any, Final, Literal

__all__ = ["CHUNK", "SPOKEN_RATE", "Ears", "Heard", "chunks", "seconds_of", "silence", "spoken", "tone"]

SPOKEN_RATE: Final = 24_000
CHUNK: Final = 1_920
"""Bytes of 40 ms at 24 kHz: the size of a spoken chunk is a multiple of it (wire 1.6)."""
LARGEST_CHUNK: Final = 17 * CHUNK
SECONDS_PER_CHARACTER: Final = 0.06

_FRAME = 0.02
_LOUD = 300.0  # root mean square of 16-bit samples, about -40 dB of full scale
_KEPT = 120.0  # seconds of an utterance; older sound is forgotten
_ONSET = {"START_SENSITIVITY_HIGH": 0.1, "START_SENSITIVITY_LOW": 0.26}
_ENDING = {"END_SENSITIVITY_HIGH": 0.8, "END_SENSITIVITY_LOW": 1.2}


@dataclass(frozen=True, slots=True)
class Heard:
    """The user began or ended to speak.

    `offset`: seconds of audio received until this was noticed. At the end, `seconds` is how long the speech
    lasted, without the silence around it, and `pcm` the whole utterance at `rate` hertz.
    """

    kind: Literal["start", "end"]
    offset: float
    seconds: float = 0.0
    pcm: bytes = b""
    rate: int = 16_000


class Ears:
    """Finds where speech begins and ends.

    Speech begins when `onset` seconds of it were heard (`prefixPaddingMs`, else by sensitivity, else 160 ms),
    and ends after `ending` seconds of silence (`silenceDurationMs`, else by sensitivity, else 1.2 s as on the
    service, wire 1.6). With `disabled` the client says when it begins and ends.
    """

    def __init__(self, detection: dict[str, Any] | None = None, *, offset: float = 0.0) -> None:
        config = detection or {}
        self.manual = bool(config.get("disabled"))
        self.offset = offset
        self.speaking = False
        self._onset = _ONSET.get(str(config.get("startOfSpeechSensitivity")), 0.16)
        self._ending = _ENDING.get(str(config.get("endOfSpeechSensitivity")), 1.2)
        if "prefixPaddingMs" in config:
            self._onset = max(_FRAME, int(config["prefixPaddingMs"]) / 1000)
        if "silenceDurationMs" in config:
            self._ending = max(_FRAME, int(config["silenceDurationMs"]) / 1000)
        self._rate = 16_000
        self._rest = b""
        self._sound = bytearray()
        self._voiced = 0.0  # of speech so far, or of what may become speech
        self._quiet = 0.0

    def hear(self, pcm: bytes, rate: int = 16_000) -> list[Heard]:
        """Takes a chunk of any length, whole samples or not."""
        if rate != self._rate:
            self._rate, self._rest = rate, b""
            self._sound.clear()
        size = 2 * round(rate * _FRAME)
        data = self._rest + pcm
        whole = len(data) - len(data) % size
        self._rest = data[whole:]
        found: list[Heard] = []
        for start in range(0, whole, size):
            found += self._frame(data[start : start + size])
        return found

    def begin(self) -> list[Heard]:
        """The user says that an activity begins (manual mode)."""
        if self.speaking:
            return []
        self._forget()
        self.speaking = True
        return [Heard("start", self.offset)]

    def end(self) -> list[Heard]:
        """The user says that the activity, or the stream, ends: nothing more is waited for."""
        self._rest = b""
        if not self.speaking:
            self._forget()
            return []
        return [self._ended()]

    def _frame(self, frame: bytes) -> list[Heard]:
        self.offset += _FRAME
        self._sound += frame
        bound = _KEPT if self.speaking else max(0.5, 2 * self._onset)
        del self._sound[: max(0, len(self._sound) - 2 * round(self._rate * bound))]
        loud = _level(frame) >= _LOUD
        if self.manual:
            self._voiced += _FRAME if self.speaking else 0.0
            return []
        if not self.speaking:
            self._voiced = self._voiced + _FRAME if loud else max(0.0, self._voiced - _FRAME)
            if self._voiced < self._onset - 1e-9:
                return []
            self.speaking, self._quiet = True, 0.0
            return [Heard("start", self.offset)]
        self._quiet = 0.0 if loud else self._quiet + _FRAME
        self._voiced += _FRAME
        return [self._ended()] if self._quiet >= self._ending - 1e-9 else []

    def _ended(self) -> Heard:
        seconds = max(0.0, self._voiced - self._quiet)
        heard = Heard("end", self.offset, round(seconds, 3), bytes(self._sound), self._rate)
        self._forget()
        return heard

    def _forget(self) -> None:
        self.speaking = False
        self._voiced = self._quiet = 0.0
        self._sound.clear()


def _level(frame: bytes) -> float:
    samples = _samples(frame)
    return math.sqrt(sum(map(mul, samples, samples)) / len(samples))


def _samples(pcm: bytes) -> array[int]:
    samples = array("h", pcm)
    if sys.byteorder == "big":  # pragma: no cover
        samples.byteswap()
    return samples


def seconds_of(pcm: bytes, rate: int = SPOKEN_RATE) -> float:
    return len(pcm) / 2 / rate


def spoken(words: str) -> bytes:
    """`words` as sound at 24 kHz: a soft tone for each, 60 ms per character, in whole chunks of 40 ms."""
    return b"".join(_word(word.strip(), len(word)) for word in _split(words))


def chunks(pcm: bytes) -> list[bytes]:
    """Spoken sound in pieces as the service sends them: multiples of 1,920 bytes, 40–680 ms (wire 1.6)."""
    return [pcm[start : start + LARGEST_CHUNK] for start in range(0, len(pcm), LARGEST_CHUNK)]


def tone(seconds: float, *, hertz: float = 440.0, rate: int = 16_000, amplitude: float = 0.2) -> bytes:
    """What `Ears` take for speech, at `rate` hertz."""
    return _wave(round(seconds * rate), hertz, rate, amplitude)


def silence(seconds: float, *, rate: int = 16_000) -> bytes:
    """What `Ears` take for nobody speaking, at `rate` hertz."""
    return bytes(2 * round(seconds * rate))


def _split(words: str) -> list[str]:
    """Words, each with the blanks after it."""
    parts: list[str] = []
    for character in words:
        if parts and (character.isspace() or not parts[-1][-1].isspace()):
            parts[-1] += character
        else:
            parts.append(character)
    return parts


@lru_cache(maxsize=256)
def _word(word: str, length: int) -> bytes:
    count = max(1, round(length * SECONDS_PER_CHARACTER / 0.04)) * (CHUNK // 2)
    hertz = 180 + sum(word.encode()) % 29 * 10
    return _wave(count, hertz, SPOKEN_RATE, 0.12)


def _wave(count: int, hertz: float, rate: int, amplitude: float) -> bytes:
    period, peak = round(rate / hertz), amplitude * 32_767
    cycle = array("h", [round(peak * math.sin(2 * math.pi * n / period)) for n in range(period)])
    wave = (cycle * (count // period + 1))[:count]
    fade = min(rate // 200, count // 2)
    for n in range(fade):  # a tone that begins at once clicks
        wave[n] = wave[n] * n // fade
        wave[-1 - n] = wave[-1 - n] * n // fade
    if sys.byteorder == "big":  # pragma: no cover
        wave.byteswap()
    return wave.tobytes()
