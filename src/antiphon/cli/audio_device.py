"""`AudioDevice`: a microphone and a loudspeaker; `SoundDevice`: those of this machine, by PortAudio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from antiphon.cli.voices import LOUDSPEAKER, MICROPHONE
from antiphon.errors import ConfigurationError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AudioDevice", "SoundDevice"]

_BLOCK_SECONDS: Final = 0.02
_LATENCY: Final = 0.1
"""Seconds that are asked for: less is interrupted sooner, and crackles on a busy machine."""
_OTHERWISE: Final = "or use --wav FILE"
_PLUG: Final = f"Connect one, choose it as the system's default, {_OTHERWISE}."


class AudioDevice(Protocol):
    """What a conversation by voice needs. All sound is 16-bit little-endian mono PCM."""

    def names(self) -> tuple[str, str]:
        """The microphone and the loudspeaker. Raises `ConfigurationError` or `MissingExtra` without them."""

    def open(self, heard: Callable[[bytes], None] | None, speak: Callable[[int], bytes]) -> float:
        """Begins: `heard` is called with what the microphone takes, 16 kHz; `speak` with a number of bytes,
        and returns as many to be played, 24 kHz. Both are called from any thread. Without `heard` the
        microphone stays off.

        Returns the seconds from `speak` to the ear. Raises `ConfigurationError` or `MissingExtra`.
        """

    def close(self) -> None:
        """Ends; nothing is called any more. Closing twice is fine."""


class SoundDevice(AudioDevice):
    """The system's default devices; needs `pip install 'antiphon[microphone]'`."""

    def __init__(self) -> None:
        self._streams: list[Any] = []

    def names(self) -> tuple[str, str]:
        sounddevice = _sounddevice()
        return _name(sounddevice, "input"), _name(sounddevice, "output")

    def open(self, heard: Callable[[bytes], None] | None, speak: Callable[[int], bytes]) -> float:
        sounddevice = _sounddevice()

        def taken(data: Any, frames: int, time: Any, status: Any) -> None:
            assert heard is not None
            heard(bytes(data))

        def wanted(data: Any, frames: int, time: Any, status: Any) -> None:
            data[:] = speak(len(data))

        sides = [(sounddevice.RawOutputStream, "output", LOUDSPEAKER, wanted)]
        if heard is not None:
            sides.append((sounddevice.RawInputStream, "input", MICROPHONE, taken))
        for make, kind, rate, callback in sides:
            name = _name(sounddevice, kind)
            try:
                stream = make(
                    samplerate=rate,
                    blocksize=int(rate * _BLOCK_SECONDS),
                    channels=1,
                    dtype="int16",
                    latency=_LATENCY,
                    callback=callback,
                )
                self._streams.append(stream)
                stream.start()
            except sounddevice.PortAudioError as error:
                self.close()
                raise ConfigurationError(
                    f"{name!r} cannot be used at {rate} Hz ({error}). Close what else uses it, {_OTHERWISE}."
                ) from error
        return float(self._streams[0].latency)

    def close(self) -> None:
        while self._streams:
            self._streams.pop().close(ignore_errors=True)


def _name(sounddevice: Any, kind: str) -> str:
    """Of the default device of this kind, `input` or `output`."""
    try:
        return str(sounddevice.query_devices(kind=kind)["name"])
    except (sounddevice.PortAudioError, ValueError) as error:
        what = "microphone" if kind == "input" else "loudspeaker"
        raise ConfigurationError(f"There is no {what} here ({error}). {_PLUG}") from error


def _sounddevice() -> Any:
    try:
        import sounddevice
    except ImportError as missing:
        raise MissingExtra(
            f"The microphone needs sounddevice: pip install 'antiphon[microphone]', {_OTHERWISE}."
        ) from missing
    except OSError as missing:
        raise ConfigurationError(
            "The microphone needs the library PortAudio: on Debian and Ubuntu apt install libportaudio2, "
            f"{_OTHERWISE}."
        ) from missing
    return sounddevice
