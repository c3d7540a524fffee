"""Sound to and from WAV files: what the user says, and both voices of a conversation."""

from __future__ import annotations

import os
import wave
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from antiphon.errors import ConfigurationError, MissingExtra

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LONGEST", "LOUDSPEAKER", "MICROPHONE", "Voices", "read_wav", "resampled"]

MICROPHONE: Final = 16_000
"""Hertz of what the user says: 16-bit little-endian mono PCM, like the agent's."""
LOUDSPEAKER: Final = 24_000
"""Hertz of what the agent says."""
LONGEST: Final = 1800.0
"""Seconds of a conversation that are kept to be written; what comes later is left out."""


def resampled(pcm: bytes, rate: int, wanted: int) -> bytes:
    """The same sound at another rate. Raises `MissingExtra`."""
    try:
        import numpy
        import soxr
    except ImportError as missing:
        raise MissingExtra(f"WAV files need {missing.name}: pip install 'antiphon[voice]'.") from missing
    sound = numpy.frombuffer(pcm[: len(pcm) & ~1], "<i2")
    return bytes(soxr.resample(sound, rate, wanted).astype("<i2").tobytes())


def read_wav(path: Path) -> bytes:
    """The file as 16 kHz 16-bit mono PCM, whatever its rate, width and channels.

    Raises `ConfigurationError` for what is no WAV file of PCM, and `MissingExtra`.
    """
    try:
        import numpy
        import soxr
    except ImportError as missing:
        raise MissingExtra(f"--wav needs {missing.name}: pip install 'antiphon[voice]'.") from missing
    try:
        with wave.open(str(path), "rb") as file:
            rate, width, channels = file.getframerate(), file.getsampwidth(), file.getnchannels()
            data = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise ConfigurationError(f"{path} cannot be read as a WAV file of PCM: {error}.") from error
    data = data[: len(data) // (width * channels) * width * channels]
    if width == 1:
        sound = (numpy.frombuffer(data, "u1").astype("f4") - 128) / 128
    elif width == 3:
        padded = numpy.zeros((len(data) // 3, 4), "u1")
        padded[:, 1:] = numpy.frombuffer(data, "u1").reshape(-1, 3)
        sound = padded.view("<i4").reshape(-1).astype("f4") / 2**31
    else:
        sound = numpy.frombuffer(data, f"<i{width}").astype("f4") / 2 ** (8 * width - 1)
    mono: Any = sound.reshape(-1, channels).mean(axis=1)
    heard = soxr.resample(mono, rate, MICROPHONE) if rate != MICROPHONE else mono
    return bytes((numpy.clip(heard, -1, 1) * 32_767).astype("<i2").tobytes())


@dataclass
class Voices:
    """Both voices, each where it was heard; the first half hour of them."""

    user: bytearray = field(default_factory=bytearray)
    """At 16 kHz."""
    agent: bytearray = field(default_factory=bytearray)
    """At 24 kHz."""

    def hears(self, data: bytes) -> None:
        """The user's next chunk."""
        if len(self.user) < LONGEST * MICROPHONE * 2:
            self.user += data

    def speaks(self, data: bytes, at: float) -> None:
        """The agent's next chunk, which came at this second: it is heard after what came before."""
        if max(at, self.seconds) < LONGEST:
            self.agent += bytes(max(int(at * LOUDSPEAKER) * 2 - len(self.agent), 0)) + data

    def cut(self, at: float) -> None:
        """What was not heard by then is not heard at all."""
        del self.agent[max(int(at * LOUDSPEAKER), 0) * 2 :]

    @property
    def seconds(self) -> float:
        """When the agent falls silent."""
        return len(self.agent) / 2 / LOUDSPEAKER

    @staticmethod
    def check(path: Path) -> None:
        """Raises `ConfigurationError` where `write` could not: before anything is said, not after."""
        folder = path.parent
        if not folder.is_dir() or path.is_dir() or not os.access(path if path.exists() else folder, os.W_OK):
            raise ConfigurationError(f"{path} cannot be written: name a file in a folder that is yours.")

    def write(self, path: Path) -> None:
        """A stereo file, the user left and the agent right. Raises `ConfigurationError` where it cannot be
        written, and `MissingExtra`.
        """
        left = array("h", resampled(bytes(self.user), MICROPHONE, LOUDSPEAKER))
        right = array("h", bytes(self.agent))
        longest = max(len(left), len(right))
        for side in (left, right):
            side.extend([0] * (longest - len(side)))
        both = array("h", bytes(4 * longest))
        both[0::2], both[1::2] = left, right
        try:
            with path.open("wb") as raw, wave.open(raw, "wb") as file:
                file.setnchannels(2)
                file.setsampwidth(2)
                file.setframerate(LOUDSPEAKER)
                file.writeframes(both.tobytes())
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be written: {error}.") from error
